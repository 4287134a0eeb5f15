"""The part that runs inside a student's kernel.

It is copied alone into the sandbox, imports nothing of the autograder around it and knows no answers: what a training
brings it asks of the oracle outside, one epoch at a time, and what the notebook did it reports there.
"""

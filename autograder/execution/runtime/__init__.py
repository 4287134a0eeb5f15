"""The part that runs inside a student's kernel.

Only this package is copied into the sandbox. It imports nothing else of the autograder and knows no answers: it asks
the oracle outside for the results of training, one epoch at a time, and reports to it what the notebook does.
"""

"""The bench: what runs inside the student's kernel.

It sets a challenge (data, training curves, clock, energy) and writes down what the notebook did.
It knows no answers, decides nothing and imports nothing of the autograder around it, so that it can be
copied alone into the place where the kernel runs.
"""

"""Proof that the autograder is right: correct variants keep every point, one-fault mutants lose the right ones."""

"""Tests that the autograder is right: correct variants keep all points, mutants with one fault lose the right ones."""

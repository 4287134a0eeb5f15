"""A made-up class: submissions for `make demo` and for trying out the autograder."""

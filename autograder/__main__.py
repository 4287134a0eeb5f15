"""`python -m autograder`: see `cli`."""

from .cli import app

if __name__ == "__main__":
    app()

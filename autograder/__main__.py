"""`python -m autograder`: see `cli`."""

import gc

from .cli import app

if __name__ == "__main__":
    gc.set_threshold(50_000, 20, 20)  # a class is much that stays, and little of it is garbage
    app()

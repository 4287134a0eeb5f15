"""`python -m autograder`: see `cli`."""

import gc

from .cli import app

if __name__ == "__main__":
    gc.set_threshold(50_000, 20, 20)  # a class is much that stays; to go through it for garbage takes longer than to read it
    app()

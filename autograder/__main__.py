"""`python -m autograder`: see `cli`."""

import atexit
import gc

from .cli import app

if __name__ == "__main__":
    atexit.register(gc.freeze)  # a process that ends need not look for garbage in all that it has imported
    gc.set_threshold(50_000, 20, 20)  # a class is much that stays, and little of it is garbage
    app()

"""`python -m autograder`: see `cli`."""

import atexit
import gc

from autograder.bench.garbage import seldom

from .cli import app

if __name__ == "__main__":
    atexit.register(gc.freeze)  # a process that ends need not look for garbage in all that it has imported
    seldom()  # a class is much that stays, and little of it is garbage
    app()

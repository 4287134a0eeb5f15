"""`python -m autograder` and the command `autograder`: see `cli`."""

import atexit
import gc

from autograder.execution.runtime.gc_tuning import tune_gc

from .cli import app


def main() -> None:
    """Run the command line; ends the process."""
    atexit.register(gc.freeze)  # a process that ends need not look for garbage in all that it has imported
    tune_gc()  # a class is much that stays, and little of it is garbage
    app()


if __name__ == "__main__":
    main()

"""`python -m autograder` and the command `autograder`: see `cli`."""

import atexit
import gc

from autograder.execution.runtime.gc_tuning import tune_gc

from .cli import app


def main() -> None:
    """Run the command line; ends the process."""
    atexit.register(gc.freeze)  # the last collection would look through all imported modules
    tune_gc()  # most objects live until the end of the run
    app()


if __name__ == "__main__":
    main()

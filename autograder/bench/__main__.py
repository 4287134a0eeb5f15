"""`python -m bench -f CONNECTION_FILE`: an IPython kernel with the bench inside."""

from __future__ import annotations

import gc
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


GARBAGE = 10_000
"""Objects that may come into being before the first look for garbage among them; Python itself waits for 700."""


def main(argv: list[str]) -> None:
    from bench import pictures
    from bench.session import start
    from ipykernel.kernelapp import IPKernelApp

    gc.set_threshold(GARBAGE, 10, 10)
    app = IPKernelApp.instance()
    app.initialize([*argv, "--HistoryManager.enabled=False"])
    assert app.shell is not None
    pictures.install()
    app.shell.run_line_magic("matplotlib", "inline")
    start(app.shell)
    app.start()


if __name__ == "__main__":
    main(sys.argv[1:])

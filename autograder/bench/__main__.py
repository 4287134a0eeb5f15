"""`python -m bench -f CONNECTION_FILE`: an IPython kernel with the bench inside."""

from __future__ import annotations

import os
import sys
import types
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


def main(argv: list[str]) -> None:
    from bench import garbage, pictures
    from bench.session import start
    from ipykernel import ipkernel
    from ipykernel.kernelapp import IPKernelApp

    garbage.seldom()
    _flush_what_was_written()
    _wait_for_what_waits()
    app = IPKernelApp.instance()
    # To name all modules to a debugger it would look at each, and what it looks at becomes its own, page by page.
    without_modules = types.SimpleNamespace(**{**vars(sys), "modules": {}})
    with mock.patch.object(ipkernel, "sys", without_modules):
        app.initialize([*argv, "--HistoryManager.enabled=False"])
    assert app.shell is not None
    pictures.install()
    app.shell.run_line_magic("matplotlib", "inline")
    start(app.shell)
    app.start()


def _wait_for_what_waits() -> None:
    """Whether a cell has to be awaited is asked twice for each, and answered by compiling it; most do not have the
    words."""
    from IPython.core import interactiveshell

    original = interactiveshell._should_be_async  # type: ignore[attr-defined]

    def should_be_async(cell: str) -> bool:
        return ("await" in cell or "async" in cell) and bool(original(cell))

    interactiveshell._should_be_async = should_be_async  # type: ignore[attr-defined]


def _flush_what_was_written() -> None:
    """A stream that nothing was written to since it was flushed has nothing to hand to the thread that sends, nor to
    wait for. That its buffer is empty would not do: the thread may have taken what was in it, and not have sent it."""
    from ipykernel.iostream import OutStream

    original_write, original_flush = OutStream.write, OutStream.flush

    def write(stream: Any, string: str) -> int | None:
        stream.was_written = True
        return original_write(stream, string)

    def flush(stream: Any) -> None:
        if getattr(stream, "was_written", False):
            stream.was_written = False
            original_flush(stream)  # type: ignore[no-untyped-call]

    OutStream.write, OutStream.flush = write, flush  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    main(sys.argv[1:])

"""`python -m bench -f CONNECTION_FILE`: an IPython kernel with the bench inside."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import types
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


GARBAGE = 10_000
"""Objects that may come into being before the first look for garbage among them; Python itself waits for 700."""


def main(argv: list[str]) -> None:
    from bench import pictures
    from bench.session import start
    from ipykernel.kernelapp import IPKernelApp

    gc.set_threshold(GARBAGE, 10, 10)
    _flush_what_was_written()
    app = IPKernelApp.instance()
    with _no_modules():
        app.initialize([*argv, "--HistoryManager.enabled=False"])
    assert app.shell is not None
    pictures.install()
    app.shell.run_line_magic("matplotlib", "inline")
    start(app.shell)
    app.start()


@contextlib.contextmanager
def _no_modules() -> Iterator[None]:
    """A kernel that is made meanwhile goes through no modules to name them to a debugger: what it looks at becomes its
    own, page by page."""
    from ipykernel import ipkernel

    setattr(ipkernel, "sys", types.SimpleNamespace(**{**vars(sys), "modules": {}}))  # noqa: B010 - it exports none
    try:
        yield
    finally:
        setattr(ipkernel, "sys", sys)  # noqa: B010


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

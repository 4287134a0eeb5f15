"""An IPython kernel that contains the instruments; the fork server runs it in a separate process."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from IPython.core import pylabtools
from traitlets.config import Config

from . import gc_tuning
from .channel import SERVE
from .seal import seal
from .session import start


def run(
    argv: list[str],
    modules: list[Any],
    setup: dict[str, Any],
    descriptor: int,
    key: bytes,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Run a kernel until it is told to end.

    Args:
        argv: arguments of the kernel application, the connection file among them.
        modules: the modules to install, see `loading.load`.
        setup: the settings of the instruments, see `Scenario.setup`.
        descriptor: the kernel's end of the connection with the oracle.
        key: the bytes with which every message to the oracle begins.
        on_ready: called after the setup, before the first cell.
    """
    gc_tuning.tune_gc()
    sessions: list[Any] = []
    running: list[str] = []

    execute: Any = IPythonKernel.do_execute

    async def do_execute(self: Any, code: str, *args: Any, **kwargs: Any) -> Any:
        session = sessions[0]
        if code == SERVE and session.serve():
            return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}
        if running:  # a cell calls this function; the code that it executes is part of the cell
            return await execute(self, code, *args, **kwargs)
        running.append(code)
        try:
            session.begin_cell(code)
            reply = await execute(self, code, *args, **kwargs)
            session.end_cell(reply.get("status") == "error")
        finally:
            running.clear()
        return reply

    sealed = seal(do_execute, IPythonKernel.do_execute)
    sealed.__signature__ = inspect.signature(IPythonKernel.do_execute)
    kernel_class = type("NotebookKernel", (IPythonKernel,), {"do_execute": sealed, "__module__": "ipykernel.ipkernel"})
    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InlineBackend.figure_formats = set()  # figures are only described, and drawn on request
    app = IPKernelApp.instance(kernel_class=kernel_class, config=settings)
    _restore_backend_names()
    app.initialize(argv)
    assert app.shell is not None
    app.shell.run_line_magic("matplotlib", "inline")
    sessions.append(start(modules, setup, descriptor, key, Path(os.environ["HOME"]), app.shell))
    del key  # this frame stays on the stack while cells are executed
    on_ready()
    app.start()


def _restore_backend_names() -> None:
    """Restore a dictionary that Matplotlib before 3.9 imports from IPython, and that IPython 9.16 removed."""
    vars(pylabtools).setdefault("backend2gui", {})

"""Load the runtime in such a way that a notebook does not find it among the modules of its process."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import importlib.machinery
import sys
import types
from collections.abc import Iterator
from typing import Any

INSTRUMENTS = (
    "files", "shell", "imports", "hosted", "clock", "energy", "keras", "callbacks", "figures", "displays", "audit"
)  # fmt: skip
"""All instruments, in the order in which they are installed."""

LIBRARIES = ("numpy", "pandas", "seaborn", "matplotlib_inline.backend_inline", "ipykernel.kernelapp")
"""Libraries that notebooks import, and those that the kernel itself imports when it starts."""

TRAINING_LIBRARIES = ("tensorflow.keras.layers", "keras")

LATE = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.magics.ast_mod",
    "IPython.core.magics.execution",
    "IPython.core.magics.pylab",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "tornado.platform.asyncio",
    "zmq.utils.garbage",
)
"""Modules that are imported only when they are needed, but are needed in every kernel."""


def load(names: list[str]) -> tuple[Any, list[Any]]:
    """Import the libraries, then the runtime, and take the runtime out of `sys.modules` again.

    Args:
        names: the instruments.

    Returns:
        The module `kernel`, and the modules to install, in this order: instruments, `questions`, `stand_ins`.
    """
    for library in (*LIBRARIES, *(TRAINING_LIBRARIES if "keras" in names else ())):
        importlib.import_module(library)
    for library in LATE:
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    parts = [f"instruments.{name}" for name in INSTRUMENTS if name in names]
    with _own_builtins():
        kernel, *modules = (
            importlib.import_module(f"{__package__}.{part}") for part in ("kernel", *parts, "questions", "stand_ins")
        )
    _hide_runtime()
    return kernel, modules


@contextlib.contextmanager
def _own_builtins() -> Iterator[None]:
    """Give the runtime's modules that are imported in this context a copy of the built-in functions, so that a notebook
    that replaces them changes nothing here. A function takes the `__builtins__` of its module when it is defined."""
    copied = dict(vars(builtins))

    def find_spec(name: str, path: Any, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if not name.startswith(f"{__package__}.") or spec is None or spec.loader is None:
            return None
        loader: Any = spec.loader
        execute = loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            vars(module)["__builtins__"] = copied
            execute(module)

        loader.exec_module = exec_module
        return spec

    finder: Any = types.SimpleNamespace(find_spec=find_spec)  # a class could be found among `__subclasses__()`
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _hide_runtime() -> None:
    """Remove the runtime's modules from `sys.modules` and from their packages. They still work. Removing them from both
    is needed because libraries keep copies of `sys.modules`, through which a notebook would find them."""
    package = __package__ or ""
    for name in [name for name in sys.modules if name.startswith(f"{package}.")]:
        parent, _, last = name.rpartition(".")
        if parent in sys.modules:
            with contextlib.suppress(AttributeError):
                delattr(sys.modules[parent], last)
        if name != f"{package}.instruments":
            del sys.modules[name]
    for name in (f"{package}.instruments", package):
        sys.modules.pop(name, None)

"""The modules and folders of hosted notebook services with which notebooks access their files.

The folders are writable if the sandbox created them; see `isolation.HOSTED`.

Events: none.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import sys
import types
from typing import Any

from ..seal import seal


def install(session: Any) -> None:
    with contextlib.suppress(ImportError):
        importlib.import_module("google")  # the folder of several packages, protobuf among them
    google = sys.modules.get("google") or types.ModuleType("google")
    colab, drive, files, userdata = (
        types.ModuleType(f"google.colab{part}") for part in ("", ".drive", ".files", ".userdata")
    )
    nothing = seal(lambda *args, **kwargs: None)
    drive.__dict__.update(mount=nothing, flush_and_unmount=nothing)
    files.__dict__.update(upload=seal(lambda *args, **kwargs: {}), download=nothing, view=nothing)
    userdata.__dict__.update(get=nothing)
    colab.__dict__.update(drive=drive, files=files, userdata=userdata, __path__=[])
    google.__dict__.setdefault("__path__", [])
    colab.__spec__ = importlib.machinery.ModuleSpec("google.colab", None, is_package=True)
    google.__dict__["colab"] = colab
    modules = {"google": google, "google.colab": colab}
    modules |= {
        f"google.colab.{name}": module for name, module in vars(colab).items() if name in ("drive", "files", "userdata")
    }
    sys.modules.update(modules)

"""Notes what a notebook does that a grader should know of. It prevents nothing: that is the sandbox's part.

Python's audit hooks (PEP 578, https://docs.python.org/3/library/audit_events.html) tell of reading outside, other
processes, the network, foreign memory and looking into other people's frames; they cannot be taken out again.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable
from types import FrameType
from typing import Any

from .record import Recorder

MOST = 30
"""Acts that are noted of one run."""

# What is noted only if the notebook does it with its own hands; libraries do it for good reasons.
DIRECT = {
    "sys._getframe": "looked into the frames of its callers",
    "sys._current_frames": "looked into the frames of all threads",
    "gc.get_objects": "went through all objects of the process",
    "gc.get_referrers": "went through all objects of the process",
    "gc.get_referents": "went through all objects of the process",
    "sys.settrace": "set a trace function",
    "sys.setprofile": "set a profile function",
    "sys.addaudithook": "added an audit hook",
    "sys.monitoring.register_callback": "watched the interpreter",
}
# What is noted also if the notebook does it through Python's own library.
THROUGH_LIBRARY = {
    "subprocess.Popen": "started a program",
    "os.system": "started a program",
    "os.exec": "became another program",
    "os.posix_spawn": "started a program",
    "os.fork": "made another process",
    "os.forkpty": "made another process",
    "os.kill": "sent a signal",
    "os.killpg": "sent a signal",
    "signal.pthread_kill": "sent a signal",
    "socket.connect": "reached for the network",
    "socket.bind": "opened a port",
    "socket.getaddrinfo": "asked for an address on the network",
    "urllib.Request": "reached for the network",
    "ctypes.dlopen": "called into foreign code",
    "ctypes.dlsym": "called into foreign code",
    "ctypes.string_at": "read memory directly",
    "ctypes.wstring_at": "read memory directly",
    "ctypes.PyObj_FromPtr": "read memory directly",
    "open": "opened a file outside its own folder",
    "os.listdir": "listed a folder outside its own",
    "os.scandir": "listed a folder outside its own",
    "import": "looked for the autograder",
}
NOTED = DIRECT | THROUGH_LIBRARY
HARMLESS = ("/dev/null", "/dev/urandom", "/dev/random", "/dev/shm/", "/proc/self/", "/proc/cpuinfo", "/proc/meminfo")
HOSTED = ("/content", "/kaggle")
"""Folders of hosted notebook services, which a notebook that was written there names."""


class Watch:
    """Follows the audit events of the notebook's own code; `silent` while the bench itself is at work."""

    def __init__(self, recorder: Recorder, home: str, given_cells: set[int]) -> None:
        self.recorder, self.given_cells = recorder, given_cells
        self.silent = True
        self._library = tuple(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib"))
        self._packages = tuple({f"{sysconfig.get_path(name)}/" for name in ("purelib", "platlib")})
        programs = ("/usr/", "/lib/", "/lib64/", "/bin/", "/etc/fonts", "/etc/localtime", "/sys/")
        roots = {f"{root}/" for root in (home, sys.prefix, sys.base_prefix)}
        self._own = (*roots, "/tmp/", *programs, *HARMLESS, *HOSTED)
        self._seen: set[tuple[int, str, str]] = set()
        self._guarded: list[tuple[Any, str, Any]] = []

    def install(self) -> None:
        def hear(event: str, arguments: tuple[Any, ...]) -> None:  # ten thousand times in a notebook, for `id` alone
            if event in NOTED:
                self._hear(event, arguments)

        sys.addaudithook(hear)

    def guard(self, owner: Any, *names: str) -> None:
        """From now on it is noted when one of these attributes is replaced."""
        self._guarded += [(owner, name, getattr(owner, name)) for name in names]

    def check_guarded(self) -> None:
        """Notes which of the guarded attributes are others now, each once."""
        for place in list(self._guarded):
            owner, name, ours = place
            if getattr(owner, name, None) is not ours:
                self._guarded.remove(place)
                self._note("replaced what the autograder relies on", f"{getattr(owner, '__name__', owner)}.{name}")

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        direct = event in DIRECT
        if self.silent or self.recorder.cell in self.given_cells:
            return
        self.silent = True
        try:
            detail = _DETAILS.get(event, _nothing)(arguments)
            if detail is not None and not self._is_own(event, detail) and self._by_notebook(sys._getframe(2), direct):
                self._note(NOTED[event], detail)
        except Exception:  # nothing that is looked at may break the notebook
            return
        finally:
            self.silent = False

    def _is_own(self, event: str, detail: str) -> bool:
        if event == "import":
            return detail.partition(".")[0] not in ("bench", "autograder")
        return event in ("open", "os.listdir", "os.scandir") and f"{detail}/".startswith(self._own)

    def _by_notebook(self, frame: FrameType | None, direct: bool) -> bool:
        """Whether the nearest code is a cell's; unless it must be so directly, Python's own library is passed over."""
        while frame is not None:
            name = frame.f_code.co_filename
            if frame.f_code.co_name == "_modified_open":  # IPython's own wrapper, which every cell calls for `open`
                frame = frame.f_back
                continue
            if "/ipykernel_" in name:
                return True
            library = name.startswith(("<", *self._library)) and not name.startswith(self._packages)
            if direct or not library:
                return False
            frame = frame.f_back
        return False

    def _note(self, what: str, detail: str) -> None:
        act = (self.recorder.cell, what, detail[:200])
        if act not in self._seen and len(self._seen) < MOST:
            self._seen.add(act)
            self.recorder.event("act", what=what, detail=detail[:200])


def _nothing(arguments: tuple[Any, ...]) -> str | None:
    return ""


def _path(arguments: tuple[Any, ...]) -> str | None:
    """The path that is meant, without links; None for what is open already."""
    path = arguments[0]
    return os.path.realpath(os.fsdecode(path)) if isinstance(path, (str, bytes, os.PathLike)) else None


def _first(arguments: tuple[Any, ...]) -> str:
    return str(arguments[0])


def _address(arguments: tuple[Any, ...]) -> str:
    return str(arguments[1])


_DETAILS: dict[str, Callable[[tuple[Any, ...]], str | None]] = {
    "open": _path,
    "os.listdir": _path,
    "os.scandir": _path,
    "import": _first,
    "subprocess.Popen": _first,
    "os.system": _first,
    "os.exec": _first,
    "os.posix_spawn": _first,
    "socket.connect": _address,
    "socket.bind": _address,
    "socket.getaddrinfo": _first,
    "urllib.Request": _first,
    "ctypes.dlopen": _first,
    "ctypes.dlsym": _address,
}

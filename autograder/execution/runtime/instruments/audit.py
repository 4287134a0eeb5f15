"""Reports what a notebook does that a grader should know of. It prevents nothing: that is the sandbox's part.

Python's audit hooks (PEP 578, https://docs.python.org/3/library/audit_events.html) tell of reading outside, other
processes, the network, foreign memory and looking into other people's frames; they cannot be taken out again.

Events: `act`. What happens in a given cell is left out by the oracle.
"""

from __future__ import annotations

import builtins
import os
import re
import sys
import sysconfig
import types
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

MAX_ACTS = 10
"""Acts of one kind that are reported of one cell; how many more there were is reported with the last."""

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
    "object.__getattr__": "looked into the frames of its callers",
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
HARMLESS = ("/dev/null", "/dev/urandom", "/dev/random", "/dev/shm/", "/proc/cpuinfo", "/proc/meminfo")
HARMLESS_PROC = re.compile(r"/proc/(?:self|\d+)/(?:stat|status|statm|cgroup|limits|cmdline|mounts|mountinfo)")
FRAMES = ("tb_frame", "gi_frame", "cr_frame", "ag_frame")
HOSTED = ("/content", "/kaggle")
"""Folders of hosted notebook services, which a notebook that was written there names."""


def install(session: Any) -> None:  # noqa: C901 - functions that share what nobody else may see
    """Follow the audit events of the notebook's own code, but not while the runtime itself is at work."""
    state = types.SimpleNamespace(silent=True, seen=set(), counts=Counter())
    is_own, is_by_notebook = _make_filters(str(session.folder))

    def begin_cell() -> None:
        state.seen.clear()
        state.counts.clear()
        state.silent = False

    def end_cell() -> None:
        """Report which guarded attributes were replaced, each once, and how much was left out."""
        state.silent = True
        for place in list(session.guarded):
            owner, name, ours = place
            if not _is_same(getattr(owner, name, None), ours):
                session.guarded.remove(place)
                report("replaced what the autograder relies on", f"{getattr(owner, '__name__', owner)}.{name}")
        for what, count in state.counts.items():
            if count > MAX_ACTS:
                session.channel.report("act", what=what, detail=f"and {count - MAX_ACTS} times more")

    def report(what: str, detail: str) -> None:
        act = (what, detail[:200])
        if act not in state.seen:
            state.seen.add(act)
            state.counts[what] += 1
            if state.counts[what] <= MAX_ACTS:
                session.channel.report("act", what=what, detail=detail[:200])

    def hear(event: str, arguments: tuple[Any, ...]) -> None:  # ten thousand times in a notebook, for `id` alone
        if event not in NOTED or state.silent:
            return
        state.silent = True
        try:
            detail = _DETAILS.get(event, _nothing)(arguments)
            if detail is not None and not is_own(event, detail) and is_by_notebook(sys._getframe(1), event in DIRECT):
                report(NOTED[event], detail)
        except Exception:  # nothing that is looked at may break the notebook
            return
        finally:
            state.silent = False

    sys.addaudithook(hear)
    session.guard(builtins, *(name for name in vars(builtins) if name not in CHANGED_BY_IPYTHON))
    session.after_cell.insert(0, end_cell)
    session.before_cell.append(begin_cell)


CHANGED_BY_IPYTHON = ("_", "open", "print", "input")
"""Built-in names that IPython itself sets anew."""


def _make_filters(home: str) -> tuple[Callable[[str, str], bool], Callable[[FrameType | None, bool], bool]]:
    """What tells whether something is the notebook's own to open or to import, and whether its own code did it."""
    library = tuple(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib"))
    packages = tuple({f"{sysconfig.get_path(name)}/" for name in ("purelib", "platlib")})
    programs = ("/usr/", "/lib/", "/lib64/", "/bin/", "/etc/fonts", "/etc/localtime", "/sys/")
    roots = {f"{root}/" for root in (home, sys.prefix, sys.base_prefix)}
    own = (*roots, "/tmp/", *programs, *HARMLESS, *HOSTED)

    def is_own(event: str, detail: str) -> bool:
        if event == "import":
            return detail.partition(".")[0] not in ("runtime", "autograder")
        if HARMLESS_PROC.fullmatch(detail):
            return True
        return event in ("open", "os.listdir", "os.scandir") and f"{detail}/".startswith(own)

    def is_by_notebook(frame: FrameType | None, direct: bool) -> bool:
        """Whether the nearest code is a cell's; unless it must be so directly, Python's own library is passed over."""
        while frame is not None:
            name = frame.f_code.co_filename
            if frame.f_code.co_name == "_modified_open":  # IPython's own wrapper, which every cell calls for `open`
                frame = frame.f_back
                continue
            if "/ipykernel_" in name:
                return True
            in_library = name.startswith(("<", *library)) and not name.startswith(packages)
            if direct or not in_library:
                return False
            frame = frame.f_back
        return False

    return is_own, is_by_notebook


def _is_same(one: Any, other: Any) -> bool:
    """Whether an attribute is the same; a method is made anew at each look."""
    return one is other or (
        isinstance(one, types.MethodType)
        and isinstance(other, types.MethodType)
        and one.__func__ is other.__func__
        and one.__self__ is other.__self__
    )


def _nothing(arguments: tuple[Any, ...]) -> str | None:
    return ""


def _path(arguments: tuple[Any, ...]) -> str | None:
    """The path that is meant, without links; None for what is open already."""
    path = arguments[0]
    return os.path.realpath(os.fsdecode(path)) if isinstance(path, (str, bytes, os.PathLike)) else None


def _frame_name(arguments: tuple[Any, ...]) -> str | None:
    """The name of an attribute that leads to a frame; None for others."""
    return str(arguments[1]) if arguments[1] in FRAMES else None


def _first(arguments: tuple[Any, ...]) -> str:
    return str(arguments[0])


def _address(arguments: tuple[Any, ...]) -> str:
    return str(arguments[1])


_DETAILS: dict[str, Callable[[tuple[Any, ...]], str | None]] = {
    "open": _path,
    "os.listdir": _path,
    "os.scandir": _path,
    "import": _first,
    "object.__getattr__": _frame_name,
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

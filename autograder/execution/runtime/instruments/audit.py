"""Report what a notebook does that a grader should know about. Preventing it is the task of the sandbox.

Python's audit hooks (PEP 578, https://docs.python.org/3/library/audit_events.html) report access to files outside the
notebook's folder, to other processes, to the network, to raw memory and to the frames of other code; they cannot be
removed again. The code on the stack decides who is responsible for an act: all code that does not come from the files
of Python, of its packages or of the runtime is the notebook's. Acts are examined at all times, because a notebook's
code can run at any time: in a callback that is being tested, in a method of a value that is being described, in a
thread.

`signal.signal`, whose handlers receive a frame, and `ctypes.cast` have no audit event and are replaced instead.

Events: `act`. The oracle ignores the acts of code in given cells.
"""

from __future__ import annotations

import builtins
import ctypes
import os
import pathlib
import re
import signal
import sys
import sysconfig
import threading
import types
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from ..seal import mark_entry, seal

MAX_ACTS = 10
"""Maximum number of acts of one kind that are reported per cell; the number of further ones is reported."""

# Python's standard library never does this on its own, so an act through the library is also the notebook's.
RARE = {
    "sys._current_frames": "inspected the stack frames of all threads",
    "gc.get_objects": "listed objects in memory through the garbage collector",
    "gc.get_referrers": "listed objects in memory through the garbage collector",
    "gc.get_referents": "listed objects in memory through the garbage collector",
    "sys.settrace": "set a trace function",
    "sys.setprofile": "set a profile function",
    "sys.addaudithook": "added an audit hook",
    "sys.monitoring.register_callback": "registered a monitoring callback",
    "ctypes.addressof": "read memory directly",
    "ctypes.cdata": "read memory directly",
    "ctypes.cdata/buffer": "read memory directly",
    "marshal.loads": "loaded code that was compiled elsewhere",
    "compile": "compiled code under the name of another file",
    "code.__new__": "compiled code under the name of another file",
}
# The library does this for good reasons, so it is reported only if the notebook does it itself, or through a function
# of the library that returns frames.
FRAMES = {
    "sys._getframe": "inspected the stack frames of its callers",
    "object.__getattr__": "inspected the stack frames of its callers",
}
# Reported also if the notebook does it through Python's standard library.
THROUGH_LIBRARY = {
    "subprocess.Popen": "started a program",
    "os.system": "started a program",
    "os.exec": "replaced its process with another program",
    "os.posix_spawn": "started a program",
    "os.fork": "started another process",
    "os.forkpty": "started another process",
    "os.kill": "sent a signal",
    "os.killpg": "sent a signal",
    "signal.pthread_kill": "sent a signal",
    "socket.connect": "tried to use the network",
    "socket.bind": "opened a port",
    "socket.getaddrinfo": "looked up a network address",
    "urllib.Request": "tried to use the network",
    "ctypes.dlopen": "called native code",
    "ctypes.dlsym": "called native code",
    "ctypes.string_at": "read memory directly",
    "ctypes.wstring_at": "read memory directly",
    "ctypes.PyObj_FromPtr": "read memory directly",
    "open": "opened a file outside its own folder",
    "os.listdir": "listed a folder outside its own",
    "os.scandir": "listed a folder outside its own",
    "import": "tried to import a module of the autograder",
}
NOTED = RARE | FRAMES | THROUGH_LIBRARY
HARMLESS = ("/dev/null", "/dev/urandom", "/dev/random", "/dev/shm/", "/proc/cpuinfo", "/proc/meminfo")
HARMLESS_PROC = re.compile(r"/proc/(?:self|\d+)/(?:stat|status|statm|cgroup|limits|cmdline|mounts|mountinfo)")
FRAME_ATTRIBUTES = ("tb_frame", "gi_frame", "cr_frame", "ag_frame")
FRAME_GIVERS = ("/inspect.py", "/asyncio/base_tasks.py", "/bdb.py", "/types.py")
SHELL_FILE = "/IPython/core/interactiveshell.py"
DIRECT_FRAME_GIVERS = ("/traceback.py", "/logging/__init__.py", "/IPython/utils/frame.py", SHELL_FILE)
"""Files with functions that return frames. The second group also uses these functions for its own purposes, so only
calls from outside the file are reported."""

SCOPE = "/pandas/core/computation/scope.py"
"""The file in which pandas reads the variables of a frame, at any level of the stack, to evaluate an expression."""

COMPILERS = ("/codeop.py", "/IPython/core/compilerop.py")
HOSTED = ("/content", "/kaggle")
"""Folders of hosted notebook services, which occur in notebooks that were written there."""

SHELL = ("run_cell", "run_cell_async", "run_ast_nodes", "run_code", "transform_cell", "compile")
TRANSFORMERS = ("ast_transformers", "input_transformers_cleanup", "input_transformers_post")
"""Attributes of IPython's shell that decide how a cell is executed."""

CELL_EVENTS = ("pre_run_cell", "pre_execute", "post_run_cell")
"""IPython's events around a cell. A function that is called at one of them could change how the next cell is executed,
and undo that before anybody looks."""

AUTORELOAD = "/IPython/extensions/autoreload.py"
"""The file of the extension whose methods may be registered for these events."""

RUNTIME = str(Path(__file__).parent.parent)
get_frame, get_thread, real_path = sys._getframe, threading.get_ident, os.path.realpath


def install(session: Any) -> None:  # noqa: C901 - functions that share what nobody else may see
    """Follow the audit events of the notebook's own code."""
    state = types.SimpleNamespace(seen=set(), counts=Counter(), busy=set(), file="", cell=0, origins={})
    owner_of, is_own = _make_filters(str(session.folder))
    shell = session.shell
    transformers = {name: list(getattr(shell, name)) for name in TRANSFORMERS if hasattr(shell, name)}
    callbacks: dict[str, list[Any]] = {}

    def begin_cell(code: str) -> None:
        state.seen.clear()
        state.counts.clear()
        state.cell += 1
        state.file = str(shell.compile.get_code_name(code, code, 0))
        check_execution()

    def check_execution() -> None:
        """Report changes of how cells are executed, or of the file names that distinguish them from libraries."""
        if owner_of(state.file) != "notebook":
            report("changed how cells are executed", "the file names under which their code is compiled")
        for name, before in transformers.items():
            if (now := list(getattr(shell, name, ()))) != before:
                before[:] = now
                report("changed how cells are executed", name)
        for name in CELL_EVENTS:
            now = list(shell.events.callbacks[name])
            known = callbacks.setdefault(name, now)  # the first check comes before any code of the notebook
            added = [each for each in now if not any(_is_same(each, one) for one in known)]
            known += added
            if any(not _may_be_called(owner_of, each) for each in added):
                report("changed how cells are executed", name)

    def check_guarded() -> None:
        """Report each guarded attribute that was replaced, once."""
        for place in list(session.guarded):
            owner, name, ours = place
            if not _is_same(getattr(owner, name, None), ours):
                session.guarded.remove(place)
                report("replaced what the autograder relies on", f"{getattr(owner, '__name__', owner)}.{name}")

    def end_cell() -> None:
        """Report what is replaced now, and how many acts were not reported."""
        check_execution()
        check_guarded()
        for what, count in state.counts.items():
            if count > MAX_ACTS:
                session.channel.report("act", what=what, detail=f"and {count - MAX_ACTS} more times")

    def report(what: str, detail: str, by_cell: bool = False) -> None:
        act = (what, detail[:200], by_cell)
        if act not in state.seen:
            state.seen.add(act)
            state.counts[what] += 1
            if state.counts[what] <= MAX_ACTS:
                session.channel.report("act", what=what, detail=detail[:200], by_cell=by_cell)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:  # called thousands of times, e.g. for each `id`
        if event not in NOTED or (event == "object.__getattr__" and arguments[1] not in FRAME_ATTRIBUTES):
            return
        if (thread := get_thread()) in state.busy:
            return
        try:
            detail = _DETAILS.get(event, _nothing)(arguments)
        except Exception:
            detail = "a value that cannot be read"
        state.busy.add(thread)
        try:
            if event in ("compile", "code.__new__"):
                note_origin(arguments[1], get_frame(1))
            if detail is None or is_own(event, detail):
                return
            frame = get_frame(1)
            if _is_by_notebook(owner_of, frame, event) or (
                event == "sys._getframe" and _leads_outside(owner_of, frame, arguments[0])
            ):
                report(NOTED[event], detail, is_by_cell(frame))
        except Exception:  # an error here must not stop the notebook
            return
        finally:
            state.busy.discard(thread)

    def note_origin(file: Any, frame: FrameType | None) -> None:
        """Remember the cell that first compiled code with this file name; 0 if an earlier cell's code compiles it."""
        if type(file) is str and len(state.origins) < MAX_FILES:
            state.origins.setdefault(file, state.cell)
            if any(state.origins.get(maker) != state.cell for maker in _files_above(owner_of, frame)):
                state.origins[file] = 0

    def is_by_cell(frame: FrameType | None) -> bool:
        """Whether only code of the cell being executed is on the stack, and none of an earlier cell."""
        files = _files_above(owner_of, frame)
        return bool(files) and files[-1] == state.file and all(state.origins.get(f) == state.cell for f in files)

    def heard_signal(number: Any, handler: Any) -> Any:
        """Replace `signal.signal`, because a handler in Python receives the frame that it interrupts."""
        if callable(handler) and _is_by_notebook(owner_of, get_frame(1), "signal.signal"):
            report("set a signal handler", str(int(number)), is_by_cell(get_frame(1)))
        return set_handler(number, handler)

    def heard_cast(value: Any, type_: Any) -> Any:
        """Replace `ctypes.cast`, which makes a pointer of any number without an audit event."""
        if _is_by_notebook(owner_of, get_frame(1), "ctypes.cdata"):
            report("read memory directly", "ctypes.cast", is_by_cell(get_frame(1)))
        return cast(value, type_)

    cast = ctypes.cast
    ctypes.cast = seal(heard_cast, cast)
    session.guard(ctypes, "cast")
    session.guard(pathlib.PurePath, "__fspath__", "__str__")
    in_c: Any = signal.raise_signal.__self__  # type: ignore[attr-defined]
    set_handler = in_c.signal
    in_c.signal = seal(heard_signal, set_handler)
    signal.signal = seal(signal.signal)
    sys.addaudithook(mark_entry(hear))
    session.guard(signal, "signal")
    session.guard(builtins, *(name for name in vars(builtins) if name not in CHANGED_BY_IPYTHON))
    session.guard(shell, *SHELL)
    session.after_cell.insert(0, end_cell)
    session.before_cell.append(begin_cell)
    session.before_use.append(check_guarded)


CHANGED_BY_IPYTHON = ("_", "open", "print", "input", "exit", "quit")
"""Built-in names that IPython itself replaces."""

MAX_FILES = 20_000
"""Maximum number of file names of compiled code that are remembered."""


def _make_filters(home: str) -> tuple[Callable[[str], str], Callable[[str, str], bool]]:
    """Make functions that tell whose code a file contains, and whether the notebook may open or import something."""
    library = tuple(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib"))
    packages = tuple({f"{sysconfig.get_path(name)}/" for name in ("purelib", "platlib")})
    programs = ("/usr/", "/lib/", "/lib64/", "/bin/", "/etc/fonts", "/etc/localtime", "/sys/")
    roots = {f"{root}/" for root in (home, sys.prefix, sys.base_prefix)}
    own = (*roots, "/tmp/", *programs, *HARMLESS, *HOSTED)
    laid = {str(path): path.stat().st_ctime_ns for path in Path(home).glob("*.py")}
    stat = os.stat

    def owner_of(file: str) -> str:
        """Return `package`, `library` (Python's own), `runtime`, `text` (compiled from a string) or `notebook`."""
        if file.startswith(packages):
            return "package"
        if file.startswith((*library, "<frozen ")):
            return "library"
        if file.startswith(RUNTIME):
            return "runtime"
        if file in laid:  # a module that came with the notebook, unless it was changed
            return "package" if stat(file).st_ctime_ns == laid[file] else "notebook"
        return "text" if file.startswith("<") else "notebook"

    def is_own(event: str, detail: str) -> bool:
        if event == "import":
            return detail.partition(".")[0] not in ("runtime", "autograder")
        if event in ("compile", "code.__new__"):
            return owner_of(detail) in ("notebook", "text")
        if HARMLESS_PROC.fullmatch(detail):
            return True
        return event in ("open", "os.listdir", "os.scandir") and f"{detail}/".startswith(own)

    return owner_of, is_own


def _is_by_notebook(owner_of: Callable[[str], str], frame: FrameType | None, event: str) -> bool:
    """Whether the notebook's code is responsible, directly or through functions that act for their callers.

    A stack with code of Python's standard library only belongs to a thread that the notebook started.
    """
    nearest, passed = "", False
    while frame is not None:
        file = frame.f_code.co_filename
        owner = owner_of(file)
        is_wrapper = frame.f_code.co_name == "_modified_open" and file.endswith(SHELL_FILE)  # IPython's, of `open`
        if is_wrapper or (event == "compile" and file.endswith(COMPILERS)):
            frame = frame.f_back
            continue
        if owner == "notebook" or (owner == "text" and event not in THROUGH_LIBRARY):
            return True
        if owner == "text":
            passed = True
        elif event in FRAMES:
            gives_directly = nearest.endswith(DIRECT_FRAME_GIVERS)
            hands_out = file.endswith(FRAME_GIVERS + DIRECT_FRAME_GIVERS) and not gives_directly
            passes_on = nearest.endswith(FRAME_GIVERS) or (gives_directly and file != nearest)
            is_passed = passes_on and (owner == "library" or file.endswith(SCOPE))
            if not (hands_out or is_passed or _reaches_runtime(owner_of, frame)):
                return False
        elif owner != "library" or (event in RARE and file.startswith("<frozen ")):
            return passed
        nearest = nearest if nearest.endswith(FRAME_GIVERS + DIRECT_FRAME_GIVERS) else file
        frame = frame.f_back
    return True


def _leads_outside(owner_of: Callable[[str], str], frame: FrameType | None, target: Any) -> bool:
    """Whether a function that the notebook called gets the frame of code that runs the notebook: through a library, and
    at a depth that the notebook chooses, it would get the variables of the runtime."""
    by_shell = frame is not None and frame.f_code.co_filename.endswith(SHELL_FILE)
    passed = False
    while frame is not None and frame is not target:
        passed = passed or owner_of(frame.f_code.co_filename) == "notebook"
        frame = frame.f_back
    if frame is None or not passed:
        return False
    return (by_shell and owner_of(frame.f_code.co_filename) == "runtime") or not _files_above(owner_of, frame)


def _files_above(owner_of: Callable[[str], str], frame: FrameType | None) -> list[str]:
    """Return the files of the notebook's code among a frame and its callers, innermost first."""
    files = []
    while frame is not None:
        if owner_of(frame.f_code.co_filename) == "notebook":
            files.append(frame.f_code.co_filename)
        frame = frame.f_back
    return files


def _reaches_runtime(owner_of: Callable[[str], str], frame: FrameType) -> bool:
    """Whether pandas reads the variables of a frame of the runtime."""
    if not frame.f_code.co_filename.endswith(SCOPE):
        return False
    target: FrameType | None = frame
    for _ in range(frame.f_locals.get("level", 0) + 1):
        target = target.f_back if target is not None else None
    return target is not None and owner_of(target.f_code.co_filename) == "runtime"


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values of an attribute are the same; each access to a method creates a new object."""
    return one is other or (
        isinstance(one, types.MethodType)
        and isinstance(other, types.MethodType)
        and one.__func__ is other.__func__
        and one.__self__ is other.__self__
    )


def _nothing(arguments: tuple[Any, ...]) -> str | None:
    return ""


def _may_be_called(owner_of: Callable[[str], str], function: Any) -> bool:
    """Whether a function that is called at IPython's events is that of a package, and calls no other. Of methods that
    is not known: `threading.Thread.run` calls any function that its object holds."""
    is_method = type(function) is types.MethodType
    function = function.__func__ if is_method else function
    if type(function) is not types.FunctionType:
        return False
    file = function.__code__.co_filename
    return owner_of(file) == "package" and (not is_method or file.endswith(AUTORELOAD))


def _plain(value: Any) -> str:
    """Return a value as a text, without calling a method that the notebook may have defined: it could look at the
    frames of this module, or return something else than before."""
    kind = type(value)
    if issubclass(kind, str):
        return plain_str(value)
    if issubclass(kind, bytes):
        return os.fsdecode(plain_bytes(value, slice(None)))
    if kind in (int, float, bool, type(None)):
        return str(value)
    if kind in (list, tuple):
        return ", ".join(map(_plain, value))
    return f"a value of type {name_of(kind)}"


plain_str, plain_bytes, name_of = str.__str__, bytes.__getitem__, type.__dict__["__name__"].__get__
PATHS = (pathlib.PosixPath, pathlib.PurePosixPath, os.DirEntry)
"""Types of paths whose methods are not the notebook's."""


def _path(arguments: tuple[Any, ...]) -> str | None:
    """Return the path with links resolved; None for an open file."""
    path = arguments[0]
    if type(path) is int or path is None:
        return None
    if type(path) in PATHS:
        path = os.fspath(path)
    return real_path(_plain(path)) if issubclass(type(path), (str, bytes)) else _plain(path)


def _code_name(arguments: tuple[Any, ...]) -> str | None:
    """Return the file name for which code is compiled."""
    name = arguments[1]
    return _plain(name) if issubclass(type(name), (str, bytes)) else None


def _first(arguments: tuple[Any, ...]) -> str:
    return _plain(arguments[0])


def _second(arguments: tuple[Any, ...]) -> str:
    return _plain(arguments[1])


_DETAILS: dict[str, Callable[[tuple[Any, ...]], str | None]] = {
    "open": _path,
    "os.listdir": _path,
    "os.scandir": _path,
    "import": _first,
    "compile": _code_name,
    "code.__new__": _code_name,
    "object.__getattr__": _second,
    "subprocess.Popen": _first,
    "os.system": _first,
    "os.exec": _first,
    "os.posix_spawn": _first,
    "socket.connect": _second,
    "socket.bind": _second,
    "socket.getaddrinfo": _first,
    "urllib.Request": _first,
    "ctypes.dlopen": _first,
    "ctypes.dlsym": _second,
}

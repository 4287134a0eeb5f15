"""Answer the shell commands, package installs and magics of hosted notebooks; only `mkdir` is really executed.

Events: none.
"""

from __future__ import annotations

import os
from typing import Any

from ..seal import seal
from .files import fetch

INSTALLERS = ("pip", "conda", "mamba", "micromamba", "uv")
SCRIPTS = ("bash", "sh", "script", "system", "writefile_to_shell")
SIGNS = set("$`{}*?;&|<>()")
"""Characters with a special meaning in a shell."""

QUIET = ("load_ext", "reload_ext", "unload_ext", "tensorboard", "autoreload", "aimport", "watermark")
"""Magics that do not affect grading and whose packages may be missing here."""


def install(session: Any) -> None:
    shell = session.shell
    files = session.parts.get("files", {})

    def system(command: str) -> None:
        words = str(command).split()
        if words[:1] == ["mkdir"] and not SIGNS & set(str(command)):
            for place in words[1:]:
                if not place.startswith("-"):
                    _make_folder(os.path.expanduser(place.strip("'\"")))
            return
        for word in words:
            name = os.path.basename(word.strip("'\""))
            if name in files and words[0] in ("wget", "curl", "gdown"):
                fetch(files, name, name)
        print(f"(not run during grading: {words[0] if words else ''})")

    def getoutput(command: str, *args: Any, **kwargs: Any) -> Any:
        system(command)
        return []

    shell.system = shell.system_piped = shell.system_raw = seal(system)
    shell.getoutput = seal(getoutput)
    shell.ask_exit = seal(lambda: print("(the kernel is not stopped during grading)"))
    shell.kernel.do_shutdown = seal(lambda restart: {"status": "ok", "restart": restart})
    for magic in INSTALLERS:
        shell.register_magic_function(_answer(system, magic), "line", magic)
    for magic in SCRIPTS:
        shell.register_magic_function(_answer(system, magic), "cell", magic)
    for magic in QUIET:
        shell.register_magic_function(seal(lambda line: None), "line", magic)
    shell.register_magic_function(_plain_backend(shell), "line", "matplotlib")


def _make_folder(place: str) -> None:
    try:
        os.makedirs(place, exist_ok=True)
    except OSError as error:
        print(f"mkdir: cannot create directory '{place}': {error.strerror}")


def _answer(system: Any, magic: str) -> Any:
    return seal(lambda line, cell="": system(f"{magic} {cell or line}"))


def _plain_backend(shell: Any) -> Any:
    """Make `%matplotlib` choose the inline backend for any name: there is no window or browser to show figures in."""
    original = shell.find_line_magic("matplotlib")

    def choose(line: str) -> Any:
        return original("--list") if "-l" in line.split() or "--list" in line else original("inline")

    return seal(choose)

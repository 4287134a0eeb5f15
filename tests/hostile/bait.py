"""Bait on the machine that runs the table: fake secrets, listeners, and a process to harm."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bait:
    """The places of the bait; an attack refers to one as `@NAME@`."""

    folder: Path
    canary: str
    port: int
    datagram_port: int
    abstract: str
    pid: int
    shared: str

    def into(self, code: str) -> str:
        """Insert the places of this bait into the code of an attack."""
        places = {
            "FOLDER": str(self.folder),
            "CANARY": self.canary,
            "PORT": str(self.port),
            "DATAGRAM_PORT": str(self.datagram_port),
            "ABSTRACT": self.abstract,
            "PID": str(self.pid),
            "SHARED": self.shared,
            "ROOT": str(Path(__file__).resolve().parents[2]),
        }
        for name, place in places.items():
            code = code.replace(f"@{name}@", place)
        return code

    def is_untouched(self) -> bool:
        """Whether nothing was changed, added or killed."""
        names = sorted(path.name for path in self.folder.iterdir())
        secret = (self.folder / "secret.txt").read_text(encoding="utf-8") if "secret.txt" in names else ""
        return names == ["local", "secret.txt"] and secret == self.canary and _lives(self.pid)


@contextlib.contextmanager
def laid() -> Iterator[Bait]:
    """Lay out the bait, accessible to all users, and remove it at the end."""
    canary = f"canary-{secrets.token_hex(8)}"
    os.environ["GRADERS_SECRET"] = canary
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bait-", dir="/var/tmp")))
        folder.chmod(0o777)
        (folder / "secret.txt").write_text(canary, encoding="utf-8")
        (folder / "secret.txt").chmod(0o666)
        local = _listener(stack, socket.AF_UNIX, str(folder / "local"))
        (folder / "local").chmod(0o777)
        assert local
        abstract = f"bait-{secrets.token_hex(4)}"
        _listener(stack, socket.AF_UNIX, f"\0{abstract}")
        port = _listener(stack, socket.AF_INET, ("127.0.0.1", 0)).getsockname()[1]
        datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind(("127.0.0.1", 0))
        shared = Path(f"/dev/shm/bait-{secrets.token_hex(4)}")
        shared.write_text(canary, encoding="utf-8")
        shared.chmod(0o666)
        stack.callback(shared.unlink, missing_ok=True)
        victim = subprocess.Popen([sys.executable, "-c", f"import time; '{canary}'; time.sleep(3600)"])
        stack.callback(victim.wait)
        stack.callback(victim.kill)
        yield Bait(folder, canary, port, datagrams.getsockname()[1], abstract, victim.pid, str(shared))
    del os.environ["GRADERS_SECRET"]


def _listener(stack: contextlib.ExitStack, family: int, address: object) -> socket.socket:
    listener = stack.enter_context(socket.socket(family))
    listener.bind(address)
    listener.listen(64)
    return listener


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZXT"

"""The kernel's end of its connection with the oracle: reports go out, questions go out and answers come back.

A message is a datagram on a `SOCK_SEQPACKET` socket: the key of the run, one byte that tells its kind, and a body. What
is longer than one datagram is sent in parts. The functions that touch the socket are bound here, when the kernel
starts: a notebook that replaces those of `os` later sees nothing.
"""

from __future__ import annotations

import contextlib
import json
import json.encoder
import os
import struct
import sys
import threading
import types
from pathlib import Path
from typing import Any

from .seal import ENTRIES, seal

PART = 60_000
"""Bytes of a datagram's body."""

MAX_MESSAGE = 4_000_000
"""Bytes of one message; what is larger is reported as lost and not sent."""

SERVE = "%answer-questions"
"""What the driver has executed, silently, when the oracle has questions. In a cell of the notebook it is no known
magic."""

REPORT, REQUEST, MORE, EPOCH, STEP, LOST = b"R", b"Q", b"+", b"E", b"V", b"L"

READING = struct.Struct("<Bdddd")
"""What an epoch brings: 1 where the stand-in of a callback has to stop here, accuracy, validation accuracy, seconds and
joules since the start of the run."""

STEP_REPLY = struct.Struct("<Bdddd")
"""The next step of a trial: 1 if the first instance gets values, plus 2 if the second does, then accuracy and
validation accuracy for each."""


def connect(descriptor: int, key: bytes) -> Any:  # noqa: C901 - functions that share what nobody else may see
    """Connect with the oracle.

    What is returned has functions and no class: a class could be found among `object.__subclasses__()`, and a method
    that a notebook puts in the place of one of its own would be given all that it needs to write in the runtime's name.

    Returns:
        An object with these functions, which several threads may call:

        `report(kind, **fields)` tells what the notebook did; nothing comes back.
        `ask(kind, **fields)` asks for something and returns plain data, {} from an oracle that has gone.
        `epoch(training)` returns what the next epoch of a training brings, see READING.
        `step(stopped)` tells which of two driven callbacks stopped (1 and 2, added) and returns the next step of a
        trial, see STEP_REPLY.
    """
    encode = make_encoder(_plain)
    decoder: Any = json.JSONDecoder()
    scan = decoder.scan_once
    write, read = os.write, os.read
    lock = threading.RLock()
    with_key = key.__add__  # a variable of `send` would be written out in a traceback with all variables

    def send(kind: bytes, body: bytes) -> None:
        if len(body) > MAX_MESSAGE:
            kind, body = (LOST, b"") if kind == REPORT else (kind, b"{}")
        with contextlib.suppress(BrokenPipeError, ConnectionError):
            while len(body) > PART:
                write(descriptor, with_key(MORE + body[:PART]))
                body = body[PART:]
            write(descriptor, with_key(kind + body))

    def receive(size: int | None = None) -> bytes:
        """The body of a reply; ConnectionError where it has not the size that is due, for then the oracle has gone."""
        parts = b""
        while True:
            part = read(descriptor, PART + 1)
            parts += part[1:]
            if part[:1] != MORE:
                break
        if size is not None and len(parts) != size:
            raise ConnectionError("The grader answers no more: it was asked for too much.")
        return parts

    def check_caller(name: str) -> None:
        if not is_called_by_runtime():
            send(REPORT, encode({"kind": "act", "what": USED_CONNECTION, "detail": name}).encode())

    def check_direct_caller(name: str) -> None:
        """Look at one frame only, because this is called for every epoch."""
        if not get_frame(2).f_code.co_filename.startswith(RUNTIME):
            check_caller(name)

    def put(kind: bytes, name: str, fields: dict[str, Any]) -> None:
        check_caller(name)
        send(kind, encode({"kind": name, **fields}).encode("utf-8", "backslashreplace"))

    def report(kind: str, **fields: Any) -> None:
        with lock:
            put(REPORT, kind, fields)

    def ask(kind: str, **fields: Any) -> dict[str, Any]:
        with lock:
            put(REQUEST, kind, fields)
            return dict(scan(receive().decode() or "{}", 0)[0])

    def epoch(training: int) -> Any:
        with lock:
            check_direct_caller("epoch")
            send(EPOCH, training.to_bytes(4, "little"))
            return READING.unpack(receive(READING.size))

    def step(stopped: int) -> Any:
        with lock:
            check_direct_caller("step")
            send(STEP, bytes([stopped]))
            return STEP_REPLY.unpack(receive(STEP_REPLY.size))

    functions = {"report": report, "ask": ask, "epoch": epoch, "step": step}
    return types.SimpleNamespace(**{name: seal(each, is_entry=False) for name, each in functions.items()})


RUNTIME = str(Path(__file__).parent)
USED_CONNECTION = "used the connection with the grader"
get_frame = sys._getframe


def is_called_by_runtime() -> bool:
    """Whether the functions of the runtime that are at work were entered where others may enter them. A notebook that
    has got hold of one inside comes in elsewhere."""
    frame: Any = get_frame(1)
    entered = None
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(RUNTIME):
            entered = frame.f_code
        elif not file.endswith("/contextlib.py"):
            break
        frame = frame.f_back
    return entered in ENTRIES


def make_encoder(default: Any = None) -> Any:
    """Make a function that writes plain data as JSON, without the methods of `json.JSONEncoder`: a notebook that
    replaces them would be given every report and could change it.

    Args:
        default: what is called with a value that JSON cannot hold, and returns one that it can.
    """

    def refuse(value: Any) -> Any:
        raise TypeError(f"{type(value).__name__} is no plain data")

    text = json.encoder.encode_basestring_ascii
    join = "".join
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # an interpreter without the C part of json
        return json.JSONEncoder(separators=(",", ":"), default=default).encode
    chunks: Any = make(None, default or refuse, text, None, ":", ",", False, False, True)
    return lambda value: join(chunks(value, 0))


def _plain(value: Any) -> Any:
    """What JSON cannot hold: NumPy scalars as numbers, of everything else the type."""
    convert = getattr(value, "item", None)
    with contextlib.suppress(Exception):
        if type(value).__module__ == "numpy" and convert is not None:
            return convert()
    return type(value).__name__

"""One run of a notebook: set up the instruments and describe the state after each cell."""

from __future__ import annotations

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

from .channel import connect, make_encoder
from .describe import describe
from .errors import short_text
from .seal import seal
from .virtual_clock import make_clock, real_cpu


def start(modules: list[Any], setup: dict[str, Any], descriptor: int, key: bytes, folder: Path, shell: Any) -> Any:
    """Set everything up for one run.

    Args:
        modules: the modules to install, in this order.
        setup: their settings.
        descriptor: the kernel's end of the connection with the oracle.
        key: the bytes with which every message to the oracle begins.
        folder: the notebook's folder.
        shell: IPython's shell.

    Returns:
        An object with the functions `begin_cell(code)`, `end_cell(stopped)` and `serve()`, which answers all questions
        of the oracle and returns whether there were any.
    """
    session = _make_session(setup, descriptor, key, folder, shell)
    np.random.seed(setup["seed"])
    for module in modules:
        name = module.__name__.rpartition(".")[2]
        if ".instruments." not in module.__name__ or name in setup["instruments"]:
            module.install(session)
    session.guard(json, "dumps", "loads")
    session.guard(json.JSONEncoder, "encode", "iterencode", "default")
    session.guard(json.JSONDecoder, "decode", "raw_decode")
    session.after_cell.append(_report_names(session))
    sys.path[:] = [place for place in sys.path if place != str(Path(__file__).parent.parent)]
    os.environ.pop("PYTHONPATH", None)
    return _make_steps(session)


def _make_session(setup: dict[str, Any], descriptor: int, key: bytes, folder: Path, shell: Any) -> Any:
    """Make the object that the instruments of a kernel share; its class is not one of the runtime, see
    `channel.connect`.

    `arrays` are the data files by name, `parts` the objects that instruments provide for each other. `before_cell`
    (called with the cell's code), `after_cell`, `before_use` (of a model), `before_stand_in` and `after_stand_in` are
    lists of functions to call then; `answers` has a function for each kind of question.
    """
    channel = connect(descriptor, key)
    described: dict[str, str] = {}
    guarded: list[tuple[Any, str, Any]] = []

    def guard(owner: Any, *names: str) -> None:
        """Have it reported if one of these attributes is replaced from now on."""
        guarded.extend((owner, name, getattr(owner, name)) for name in names)

    def report_if_changed(kind: str, value: Any, name: str = "") -> None:
        """Report a description only when it differs from the last one."""
        text = json_text(value)
        if described.get(kind + name) != text:
            described[kind + name] = text
            channel.report(kind, name=name, value=value)

    lists: dict[str, list[Any]] = {
        name: [] for name in ("before_cell", "after_cell", "before_use", "before_stand_in", "after_stand_in")
    }
    return types.SimpleNamespace(
        setup=setup,
        folder=folder,
        shell=shell,
        channel=channel,
        clock=make_clock(channel),
        arrays={},
        parts={},
        answers={},
        guarded=guarded,
        guard=guard,
        report_if_changed=report_if_changed,
        **lists,
    )


def _make_steps(session: Any) -> Any:
    channel = session.channel
    started = [0.0]

    def begin_cell(code: str) -> None:
        started[0] = real_cpu()
        for step in session.before_cell:
            step(code)

    def end_cell(stopped: bool) -> None:
        """Call the instruments' functions for the end of a cell, and report the end."""
        cpu = real_cpu() - started[0]
        fault = find_fault() if stopped else None
        for step in session.after_cell:
            try:
                step()
            except KeyboardInterrupt:  # it was meant for the cell, which has already ended
                continue
            except Exception as error:  # the end must be reported, or the notebook seems to have prevented it
                fault = fault or f"{type(error).__name__}: {short_text(error)}"[:300]
        channel.ask("end", cpu=round(cpu, 4), fault=fault)

    def serve() -> bool:
        """Answer all questions of the oracle; return whether there were any."""
        count = 0
        while question := channel.ask("next").get("question"):
            channel.report("answer", answer=answer(question))
            count += 1
        return count > 0

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"value": session.answers[question["ask"]](question)}
        except BaseException as error:
            return {"error": type(error).__name__[:100], "message": short_text(error)}

    steps = {"begin_cell": begin_cell, "end_cell": end_cell, "serve": serve}
    return types.SimpleNamespace(**{name: seal(step, is_entry=False) for name, step in steps.items()})


def _report_names(session: Any) -> Any:
    def report() -> None:
        namespace = session.shell.user_ns
        for name in session.setup["names"]:
            if name in namespace:
                session.report_if_changed("name", describe(namespace[name]), name)

    return report


def find_fault() -> str | None:
    """Describe the error that stopped the last cell, if it arose in the runtime and was not meant for the student.

    Interrupts and `SystemExit` are not faults: the interrupt at a time limit can be raised anywhere.
    """
    error, traceback = getattr(sys, "last_value", None), getattr(sys, "last_traceback", None)
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if not isinstance(error, Exception) or traceback is None or getattr(error, "is_meant", False):
        return None
    folder = str(Path(__file__).parent)
    if not traceback.tb_frame.f_code.co_filename.startswith(folder):
        return None
    return f"{type(error).__name__}: {short_text(error)}"[:300]


json_text = make_encoder()

"""A row of the table: what is tried, what must happen, and what happens without protection."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import jupytext

REACHED = "REACHED"
"""The code of an attack prints this when it has reached its goal."""

FULL = 88
Points = float | Literal["less", "person"]

ATTEMPT = f"""import os, socket, ctypes, subprocess
try:
{{attempt}}
    if {{goal}}: print('{REACHED}')
except BaseException as error:
    print(type(error).__name__)"""
"""Prints REACHED if the attempt reaches its goal, and otherwise only the name of the error."""

HELPERS = {
    "oracle": """import os, socket
def find_oracle():
    for fd in range(3, 200):
        try: end = socket.socket(fileno=fd)
        except OSError: continue
        kind = end.type
        end.detach()
        if kind == socket.SOCK_SEQPACKET: return fd
    return -1
""",
    "claim": """true = globals().pop('n_tr', 66247)
claim = b'R\\0{"kind":"name","name":"n_tr","value":{"type":"int","number":%d}}' % true
""",
    "key": """def use_key(frame):
    while frame is not None and type(frame.f_locals.get('key')) is not bytes: frame = frame.f_back
    if frame is not None: os.write(find_oracle(), frame.f_locals['key'] + claim)
""",
}
"""Code with which several attacks begin: `oracle` finds the connection with the oracle (-1 if there is none); `claim`
removes `n_tr` and prepares a report that it is right, which earns a point if it is believed; `key` sends that report
with a key from the frames above the given one."""

ATTACKS = Path(__file__).resolve().parent / "attacks"


@dataclass(frozen=True)
class Row:
    """An attack from inside a notebook: code in a cell of an otherwise correct submission.

    `cell` is a separate cell before the tasks or, with `task`, the end of that task's cell. `points` are the points
    that the submission must get: "less" means fewer than all, "person" means a manual review. `finding` and `output`
    are patterns that findings (or the reason) and the cell's output must match. `limits` are lowered limits, and
    `memory` is the number of additional megabytes that the grader itself may use.

    `control` describes the result without protection: the attack `reached` its goal in a kernel without sandbox (or,
    with `free` limits, in one whose limits are raised); it `stops` a notebook that is executed in the usual way, so
    that the next cell does not run; it has the result `plain` in Python without the autograder; it `lingers` after its
    kernel; it `imports` the autograder or finds its `answers` in a grader that has them in the same process; it appears
    unchanged in a `page` that shows the notebook as it is; or it gets all points (or as many as `points`), unnoticed,
    from an `unguarded` runtime. With `needs_root`, it does so only if root runs the autograder; other users
    have no rights that it could use.
    """

    id: str
    tried: str
    cell: str
    points: Points = FULL
    finding: str = ""
    output: str = ""
    task: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)
    free: Mapping[str, Any] = field(default_factory=dict)
    memory: float = 0.0
    control: Literal["reached", "stops", "plain", "lingers", "imports", "answers", "page", "unguarded"] = "reached"
    plain: str = REACHED
    needs_root: bool = False


@dataclass(frozen=True)
class FileRow:
    """A faulty submission: `make` writes it into the student's folder, given the text of a correct notebook.

    `control` shows that reading it in a simple way fails or gives the wrong result.
    """

    id: str
    tried: str
    make: Callable[[Path, str], None]
    control: Callable[[Path], bool]
    points: Points = FULL
    finding: str = ""


def read(name: str) -> list[Row]:
    """Read the attacks of a file in `attacks/`. Each is a cell in percent format, with its settings in the marker, and
    its description in the marker or in the first comment. With a `goal`, an expression, the cell is inserted into
    ATTEMPT; `helpers` are names of HELPERS, separated by commas, whose code comes first."""
    rows = []
    for cell in jupytext.read(ATTACKS / f"{name}.py", fmt="py:percent").cells:
        settings = {name: value for name, value in cell.metadata.items() if name != "lines_to_next_cell"}
        if (title := settings.pop("title", None)) is None:
            continue
        code = cell.source
        if "tried" not in settings:
            first, _, code = code.partition("\n")
            settings["tried"] = first.removeprefix("# ")
        if "goal" in settings:
            code = ATTEMPT.format(attempt=textwrap.indent(code, "    "), goal=settings.pop("goal"))
        helpers = settings.pop("helpers", "").split(",")
        code = "".join(HELPERS[helper] for helper in helpers if helper) + code
        rows.append(Row(id=title, cell=code, **settings))
    return rows

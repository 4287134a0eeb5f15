"""What a row of the table says: what is tried, what must happen, and how the same goes without protection."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import jupytext

REACHED = "REACHED"
"""What the code of an attack prints when it has got what it wanted."""

FULL = 88
Points = float | Literal["less", "person"]

ATTEMPT = f"""import os, socket, ctypes, subprocess
try:
{{attempt}}
    if {{goal}}: print('{REACHED}')
except BaseException as error:
    print(type(error).__name__)"""
"""Says so if the attempt reaches its goal, and keeps quiet about every failure."""

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
claim = b'R{"kind":"name","name":"n_tr","value":{"type":"int","number":%d}}' % true
""",
    "key": """def use_key(frame):
    while frame is not None and type(frame.f_locals.get('key')) is not bytes: frame = frame.f_back
    if frame is not None: os.write(find_oracle(), frame.f_locals['key'] + claim)
""",
}
"""What the code of several attacks begins with: `oracle` finds the connection with the oracle (-1 where there is none);
`claim` takes `n_tr` away and has the report that it is right, which earns a point where it is believed; `key` makes
that report with a key that lies in the frames above one."""

ATTACKS = Path(__file__).resolve().parent / "attacks"


@dataclass(frozen=True)
class Row:
    """An attack from inside a notebook: code in a cell of an otherwise correct submission.

    `cell` is a cell of its own before the tasks or, with `task`, the end of that task's cell. `points` is what the
    submission must get: "less" is less than all, "person" leaves it to a person. `finding` and `output` are patterns
    that findings (or the reason) and the cell's output must match. `limits` are lowered ones, and `memory` is how many
    megabytes more the grader itself may take meanwhile.

    `control` says how the same goes without protection: it `reached` its goal in a kernel without sandbox (or, with
    `free` limits, in one whose limits alone are off); it `stops` a notebook that is executed in the usual way, so that
    the next cell does not run; it has the result `plain` in Python without the autograder; it `lingers`; it `imports`
    the autograder or finds its `answers` where there are any; it stands as it is in a `page` that shows the notebook
    as it is; or it gets all points (or as many as `points` says), unnoticed, of an `unguarded` runtime.
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


@dataclass(frozen=True)
class FileRow:
    """A fault of what was submitted: `make` writes it into the student's folder, given a correct notebook's text.

    `control` shows that the plain way of reading it fails or is led astray.
    """

    id: str
    tried: str
    make: Callable[[Path, str], None]
    control: Callable[[Path], bool]
    points: Points = FULL
    finding: str = ""


def read(name: str) -> list[Row]:
    """The attacks of a file in `attacks/`: a cell in percent format each, its settings in the marker, what is tried in
    the marker or in the first comment. With a `goal`, an expression, the cell is put into an ATTEMPT; `helpers` are
    names, by comma, of HELPERS that come first."""
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

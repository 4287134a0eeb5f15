"""Submissions that are nearly the same: code, without what everybody was given, and written answers.

What is compared are sets of short sequences of words, by the share that two sets have in common (A. Broder, "On the
resemblance and containment of documents", 1997). All pairs of a class are counted at once, by products of matrices.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from nbformat import NotebookNode
from nbgrader.utils import is_locked

from autograder.assignment.source import grade_id

NEAR = 0.7
"""The share in common from which two submissions are called nearly the same."""

BLOCK = 4096
"""Sequences that are counted in one step, so that a large class does not take all memory."""

LENGTH = 6
"""Tokens of a sequence of code; of a written answer half as many words."""

FEWEST = 40
"""Sequences of their own without which two submissions are too short to be compared."""

QUOTED = re.compile(
    r"(\"\"\"|''')[\s\S]*?\1|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|#[^\n]*",
)
TOKEN = re.compile(r"(?:(?<=\.)|\b)[^\W\d]\w*|\d[\w.]*|[^\w\s]")
PYTHON = {*keyword.kwlist, *dir(builtins)}


@dataclass(frozen=True)
class Group:
    """Students whose work hangs together by pairs that are nearly the same; `least` is the smallest share that it
    takes to hold them together."""

    students: tuple[str, ...]
    least: float


def groups(sequences: Mapping[str, frozenset[str]], near: float = NEAR) -> list[Group]:
    """The groups among students, given each one's sequences; the closest first."""
    same: dict[frozenset[str], list[str]] = {}
    for student, own in sequences.items():
        same.setdefault(own, []).append(student)
    joined = {own: [own] for own in same}
    least = dict.fromkeys(same, 1.0)
    for one, other, share in _near(list(same), near):
        members, others = joined[one], joined[other]
        if members is others:
            continue
        least[members[0]] = min(share, least[members[0]], least[others[0]])
        members += others
        joined |= dict.fromkeys(others, members)
    found = {id(members): members for members in joined.values()}
    made = [
        Group(tuple(sorted(student for own in members for student in same[own])), least[members[0]])
        for members in found.values()
    ]
    made = [group for group in made if len(group.students) > 1]
    return sorted(made, key=lambda group: (-group.least, group.students))


def _near(sets: list[frozenset[str]], near: float) -> list[tuple[frozenset[str], frozenset[str], float]]:
    """The pairs of sets that have at least so much in common, with the share; the closest first."""
    common, sizes = _common(sets), np.array([len(own) for own in sets])
    shares = np.triu(common / np.maximum(1, sizes[:, None] + sizes - common), 1)
    pairs = np.argwhere(shares >= near)
    found = [(sets[one], sets[other], float(shares[one, other])) for one, other in pairs]
    return sorted(found, key=lambda pair: -pair[2])


def _common(sets: list[frozenset[str]]) -> np.ndarray:
    """How many sequences each two sets have in common, (sets, sets)."""
    owners: dict[str, list[int]] = {}
    for number, own in enumerate(sets):
        for sequence in own:
            owners.setdefault(sequence, []).append(number)
    shared = [numbers for numbers in owners.values() if len(numbers) > 1]
    common = np.zeros((len(sets), len(sets)), np.float32)
    for start in range(0, len(shared), BLOCK):
        block = shared[start : start + BLOCK]
        holds = np.zeros((len(sets), len(block)), np.float32)
        for column, numbers in enumerate(block):
            holds[numbers, column] = 1
        common += holds @ holds.T
    return common


def code_of_class(notebooks: Mapping[str, NotebookNode | None], release: NotebookNode) -> dict[str, frozenset[str]]:
    """The sequences of each student's own code, without those of the release; students with too little are left out.

    Names count as one and the same, so a copy with other names is found.
    """
    everybodys = _sequences(_tokens(_code(release.cells)), LENGTH)
    found = {
        student: _sequences(_tokens(_own_code(notebook)), LENGTH) - everybodys
        for student, notebook in notebooks.items()
        if notebook is not None
    }
    return {student: own for student, own in found.items() if len(own) >= FEWEST}


def words(text: str) -> frozenset[str]:
    """The sequences of words of a written answer, without regard to case, signs and line breaks."""
    return _sequences(re.findall(r"\w+", text.casefold()), LENGTH // 2)


def _own_code(notebook: NotebookNode) -> str:
    return _code([cell for cell in notebook.cells if not (grade_id(cell) and is_locked(cell))])


def _code(cells: Iterable[NotebookNode]) -> str:
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def _tokens(code: str) -> list[str]:
    """The code without comments and texts. Names are one and the same but for Python's own and those of attributes,
    which a student who copies does not choose."""
    tokens, before = [], ""
    for token in TOKEN.findall(QUOTED.sub(lambda part: "" if part[0].startswith("#") else "0", code)):
        chosen = token.isidentifier() and token not in PYTHON and before != "."
        tokens.append("name" if chosen else token)
        before = token
    return tokens


def _sequences(tokens: list[str], length: int) -> frozenset[str]:
    return frozenset(" ".join(tokens[i : i + length]) for i in range(max(1, len(tokens) - length + 1)) if tokens)

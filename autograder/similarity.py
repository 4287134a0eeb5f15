"""Submissions that are nearly the same: code, without what everybody was given, and written answers.

What is compared are sets of short sequences of words, by the share that two sets have in common (A. Broder, "On the
resemblance and containment of documents", 1997). An index of MinHashes names the pairs that are worth comparing, so
that a large class takes seconds; what is said of a pair is its exact share.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from datasketch import MinHash, MinHashLSH
from nbformat import NotebookNode
from nbgrader.utils import is_locked

from .source import grade_id

NEAR = 0.7
"""The share in common from which two submissions are called nearly the same."""

CANDIDATES = 0.5
"""The share from which the index is asked for pairs: its own is an estimate."""

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
    index, hashes = MinHashLSH(threshold=CANDIDATES, num_perm=128), []
    for number, own in enumerate(sets):
        hashes.append(MinHash(num_perm=128))
        hashes[number].update_batch([sequence.encode("utf-8", "replace") for sequence in own])
        index.insert(number, hashes[number])
    pairs = sorted((one, other) for one in range(len(sets)) for other in index.query(hashes[one]) if one < other)
    shares = [(sets[one], sets[other], in_common(sets[one], sets[other])) for one, other in pairs]
    return sorted((pair for pair in shares if pair[2] >= near), key=lambda pair: -pair[2])


def in_common(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of all sequences of two that both have (Jaccard's index); 0 where there are none."""
    return len(one & other) / len(one | other) if one or other else 0.0


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

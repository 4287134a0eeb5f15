"""Find submissions that are nearly the same: code, without the provided code, and written answers.

It compares sets of short sequences of words, by the share that two sets have in common (A. Broder, "On the resemblance
and containment of documents", 1997). All pairs of a class are compared at once, with matrix products.
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
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from autograder.common.cells import grade_id

NEAR = 0.7
"""The share in common from which on two submissions are called nearly the same."""

BLOCK = 4096
"""Number of sequences that are compared in one step, so that a large class does not take too much memory."""

LENGTH = 6
"""Number of tokens in a sequence of code; a sequence of a written answer has half as many words."""

FEWEST = 40
"""Minimum number of sequences of the student's own code; with fewer, a submission is too short to be compared."""

QUOTED = re.compile(
    r"(\"\"\"|''')[\s\S]*?(?:\1|\Z)|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?|#[^\n]*",
)
"""Texts and comments. A text that does not end goes on to the end of its line or, with three quotes, of the code: to
look for an end from each quote anew would take time that grows with the square of their number."""

MAX_CODE, MAX_ANSWER = 500_000, 100_000
"""Maximum number of characters of a student's code and of a written answer that are compared."""

TOKEN = re.compile(r"(?:(?<=\.)|\b)[^\W\d]\w*|\d[\w.]*|[^\w\s]")
PYTHON = {*keyword.kwlist, *dir(builtins)}


@dataclass(frozen=True)
class Group:
    """Students whose work is linked by pairs that are nearly the same.

    `least` is the smallest share in common among the closest pairs that link them all; 1 if all are identical.
    """

    students: tuple[str, ...]
    least: float


def groups(sequences: Mapping[str, frozenset[str]], near: float = NEAR) -> list[Group]:
    """Find groups of students, given each student's sequences, which must not be empty; the closest group comes first.

    Args:
        sequences: the sequences of each student.
        near: the share in common, 0 to 1, from which on two students are linked.
    """
    students = list(sequences)
    shares = _compare(list(sequences.values()))
    # Lengths are between 1 and 2, because a length of 0 means no link; the minimum spanning tree has the closest pairs.
    tree = minimum_spanning_tree(csr_array(np.where(np.triu(shares >= near, 1), 2 - shares, 0)))
    count, labels = connected_components(tree, directed=False)
    linked = [np.flatnonzero(labels == label) for label in range(count)]
    found = [
        Group(tuple(sorted(students[number] for number in members)), float(2 - tree[members].max()))
        for members in linked
        if len(members) > 1
    ]
    return sorted(found, key=lambda group: (-group.least, group.students))


def _compare(sets: list[frozenset[str]]) -> np.ndarray:
    """Return the share of sequences that each pair of sets has in common, (sets, sets)."""
    columns: dict[str, int] = {}
    entries = [columns.setdefault(sequence, len(columns)) for own in sets for sequence in own]
    sizes = np.array([len(own) for own in sets], np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    holds = csr_array((np.ones(len(entries), np.float32), entries, starts), shape=(len(sets), len(columns))).tocsc()
    holds = holds[:, np.diff(holds.indptr) > 1]  # sequences of only one set are in no intersection
    common = np.zeros((len(sets), len(sets)), np.float32)
    for start in range(0, holds.shape[1], BLOCK):
        block = holds[:, start : start + BLOCK].toarray()
        common += block @ block.T
    np.fill_diagonal(common, sizes)
    return common / np.maximum(1, sizes[:, None] + sizes - common)


def code_of_class(notebooks: Mapping[str, NotebookNode | None], release: NotebookNode) -> dict[str, frozenset[str]]:
    """Return the sequences of each student's own code, without those of the release; students with too few are omitted.

    All names are treated as the same, so that a copy with other names is found.
    """
    everybodys = _sequences(_tokens(_code(release.cells)), LENGTH)
    found = {
        student: _sequences(_tokens(_own_code(notebook)), LENGTH) - everybodys
        for student, notebook in notebooks.items()
        if notebook is not None
    }
    return {student: own for student, own in found.items() if len(own) >= FEWEST}


def words(text: str) -> frozenset[str]:
    """Return the sequences of words in a written answer, ignoring case, punctuation and line breaks."""
    return _sequences(re.findall(r"\w+", text[:MAX_ANSWER].casefold()), LENGTH // 2)


def _own_code(notebook: NotebookNode) -> str:
    return _code([cell for cell in notebook.cells if not (grade_id(cell) and is_locked(cell))])[:MAX_CODE]


def _code(cells: Iterable[NotebookNode]) -> str:
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def _tokens(code: str) -> list[str]:
    """Return the tokens of code without comments and texts. All names are replaced by the same one, except Python's own
    and those of attributes, which a student who copies does not choose."""
    tokens, before = [], ""
    for token in TOKEN.findall(QUOTED.sub(lambda part: "" if part[0].startswith("#") else "0", code)):
        chosen = token.isidentifier() and token not in PYTHON and before != "."
        tokens.append("name" if chosen else token)
        before = token
    return tokens


def _sequences(tokens: list[str], length: int) -> frozenset[str]:
    return frozenset(" ".join(tokens[i : i + length]) for i in range(max(1, len(tokens) - length + 1)) if tokens)

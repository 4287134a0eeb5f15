"""The result of each submission with each grader: stored when it is ready, and counted."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fidelity.outcome import Case

MESSAGE = 240
"""Maximum number of characters of a message that are stored."""


@dataclass(frozen=True)
class Result:
    """The seconds of grading one submission, and the items that lost points, each with the reason."""

    seconds: float
    lost: dict[str, str]
    problem: str = ""


@dataclass(frozen=True)
class Count:
    """What one grader graded correctly and wrongly: names of submissions, and numbers of items.

    Attributes:
        right, wrong: how many submissions of each kind were graded.
        unfair: correct ones that lose points; in `reshaped` of them, the file does not have the released structure.
        unnoticed: wrong ones that keep all points of the items with the mistake.
        elsewhere: wrong ones that lose points in an item without a mistake.
    """

    right: int
    wrong: int
    unfair: tuple[str, ...]
    reshaped: tuple[str, ...]
    unfair_items: int
    unnoticed: tuple[str, ...]
    missed_items: int
    elsewhere: tuple[str, ...]
    elsewhere_items: int


def describe(case: Case, is_reshaped: bool) -> dict[str, Any]:
    """Return what the page needs to know about a submission."""
    title = case.fault or case.description.header.title
    return {"title": title, "items": sorted(case.items), "reshaped": is_reshaped}


def fingerprint(case: Case, version: str) -> str:
    """Return a hash of a submission and a grader: a stored result is valid as long as neither changes."""
    text = case.description.model_dump_json() + " ".join(sorted(case.items)) + version
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def save(result: Result, key: str, path: Path) -> None:
    short = {item: message.strip()[:MESSAGE] for item, message in sorted(result.lost.items())}
    kept = {"lost": short, "problem": result.problem[:MESSAGE]}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"key": key} | kept, indent=1), encoding="utf-8")
    part.replace(path)


def load(key: str, path: Path) -> dict[str, Any] | None:
    """Return the stored result; None if there is none, or if the submission or the grader has changed."""
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if kept.pop("key", "") == key else None


def count(cases: dict[str, dict[str, Any]], results: dict[str, dict[str, Any]]) -> Count:
    """Count the results of a grader.

    Args:
        cases: the submissions as `describe` returns them, by name.
        results: the results as `load` returns them, by name of the submission.
    """
    right = [name for name in results if not cases[name]["items"]]
    wrong = [name for name in results if cases[name]["items"]]
    unfair = [name for name in right if results[name]["lost"]]
    missed = {name: set(cases[name]["items"]) - set(results[name]["lost"]) for name in wrong}
    undeserved = {name: set(results[name]["lost"]) - set(cases[name]["items"]) for name in wrong}
    return Count(
        right=len(right),
        wrong=len(wrong),
        unfair=tuple(unfair),
        reshaped=tuple(name for name in unfair if cases[name]["reshaped"]),
        unfair_items=sum(len(results[name]["lost"]) for name in unfair),
        unnoticed=tuple(name for name in wrong if missed[name] == set(cases[name]["items"])),
        missed_items=sum(map(len, missed.values())),
        elsewhere=tuple(name for name in wrong if undeserved[name]),
        elsewhere_items=sum(map(len, undeserved.values())),
    )


def is_exact(case: dict[str, Any], result: dict[str, Any]) -> bool:
    """Whether exactly those items lost points that should."""
    return set(result["lost"]) == set(case["items"])

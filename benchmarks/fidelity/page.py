"""Generate docs/fidelity.md from docs/fidelity.json."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment, StrictUndefined

from benchmarks import ROOT
from benchmarks.record import load

from .results import count, is_exact

FILE = ROOT / "docs" / "fidelity.json"
PAGE = ROOT / "docs" / "fidelity.md"
TEMPLATE = Path(__file__).with_name("page.md")

NAMES = {"kit": "this kit", "nbgrader": "nbgrader", "otter": "Otter"}
EXAMPLES = 3


def examples(found: dict[str, Any], grader: str) -> list[str]:
    """Return submissions that this grader grades correctly and another does not, of different kinds if possible.

    Those that the kit grades wrongly come first; for the kit, those that both others grade wrongly.
    """
    cases, results = found["cases"], found["results"]
    others = [name for name in results if name != grader]

    def wrong(name: str) -> list[str]:
        return [other for other in others if not is_exact(cases[name], results[other][name])]

    better = [name for name in cases if is_exact(cases[name], results[grader][name]) and wrong(name)]
    better.sort(key=lambda name: (0 if grader == "kit" else "kit" not in wrong(name), -len(wrong(name))))
    chosen: list[str] = []
    for is_new in (_is_new_kind(cases, chosen), lambda name: name not in chosen):
        for name in better:
            if len(chosen) < EXAMPLES and is_new(name):
                chosen.append(name)
    return chosen


def _is_new_kind(cases: dict[str, Any], chosen: list[str]) -> Callable[[str], bool]:
    """Whether a submission should lose points in other items than those chosen so far."""

    def kind(name: str) -> tuple[str, ...]:
        return tuple(item.partition("-")[2] or item for item in cases[name]["items"])

    return lambda name: kind(name) not in [kind(other) for other in chosen]


def verdict(case: dict[str, Any], result: dict[str, Any]) -> str:
    """Describe in a few words what a grader did, with its message for an undeserved loss."""
    if result["problem"]:
        return f"not graded: {_cell(result['problem'])}"
    wanted, lost = set(case["items"]), set(result["lost"])
    words = []
    if missed := sorted(wanted - lost):
        words.append(f"keeps {', '.join(missed)}")
    words += [f"loses {item}: {_cell(result['lost'][item])}" for item in sorted(lost - wanted)[:1]]
    if more := sorted(lost - wanted)[1:]:
        words.append(f"and {', '.join(more)}")
    return "; ".join(words) or "right"


def _cell(text: str) -> str:
    """Format a text for a cell of a table."""
    plain = " ".join(text.split()).replace("|", "\\|").replace("`", "'").replace("<", "&lt;")
    return plain if len(plain) <= 120 else plain[:117] + "..."


def write(path: Path = PAGE, found: dict[str, Any] | None = None) -> None:
    """Write the page from the stored results."""
    found = load(FILE)["comparison"] if found is None else found
    counts = {name: count(found["cases"], found["results"][name]) for name in NAMES}
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["median"] = median
    text = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        found=found,
        counts=counts,
        names=NAMES,
        examples={name: examples(found, name) for name in NAMES},
        verdict=verdict,
        wanted=EXAMPLES,
        by_item={name: _missed_by_item(found, name) for name in NAMES},
    )
    lines = [line.rstrip() for line in text.splitlines()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _missed_by_item(found: dict[str, Any], grader: str) -> dict[str, tuple[int, int, int]]:
    """Count, by item, submissions with a mistake in it, those that keep its points, and others that lose some."""
    cases, results = found["cases"], found["results"][grader]
    table = {}
    for item in sorted({item for case in cases.values() for item in case["items"]}):
        with_mistake = [name for name, case in cases.items() if item in case["items"]]
        kept = sum(item not in results[name]["lost"] for name in with_mistake)
        undeserved = sum(item in results[name]["lost"] and item not in case["items"] for name, case in cases.items())
        table[item] = (len(with_mistake), kept, undeserved)
    return table

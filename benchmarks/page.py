"""Generate docs/performance.md and its plot from the measurements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment, StrictUndefined

from benchmarks import ROOT

from .record import load

PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "images" / "performance.png"
TEMPLATE = Path(__file__).with_name("page.md")

NAMES = {
    "class": "this kit, a class of 100 on all cores",
    "nbgrader": "nbgrader, real training",
    "bench": "nbgrader, this kit's simulated training",
    "otter": "Otter, real training",
}
PARTS = {
    "dask": "cluster",
    "features": "assignment without training",
    "lab": "time per epoch in the lab",
    "limit": "overhead",
    "rivals": "other autograders",
    "sizes": "class sizes",
}
"""The names on the page of parts that have other names in the file of figures."""


@dataclass(frozen=True)
class Target:
    """A row of the table: the target and the measured value; `fits` if the target is met."""

    what: str
    wanted: str
    found: str
    fits: bool


def targets(found: dict[str, Any]) -> list[Target]:
    """Return all targets for which there are figures."""
    lines: list[Target] = []

    def add(what: str, value: Callable[[], float], most: float, unit: str, least: bool = False) -> None:
        try:
            measured = value()
        except (KeyError, StopIteration):
            return
        word = "at least" if least else "at most"
        fits = measured >= most if least else measured <= most
        lines.append(Target(what, f"{word} {most:g}{unit}", f"{measured:.3g}{unit}", fits))

    add("time per submission, class of 100 on all cores", lambda: median(found["rivals"]["class"]), 1.0, " s")
    add(
        "speed of this kit, relative to nbgrader with real training",
        lambda: ratio(found, "nbgrader"),
        40,
        " times",
        least=True,
    )
    add(
        "speed of this kit, relative to nbgrader with simulated training",
        lambda: ratio(found, "bench"),
        8,
        " times",
        least=True,
    )
    add(
        "time to run a submission's cells in a sandboxed kernel, relative to running them without kernel or sandbox",
        lambda: limit(found),
        1.3,
        "",
    )
    add("private memory per kernel", lambda: found["memory"]["kernel"] / 1e6, 75, " MB")
    add(
        "time per submission in a class of 1,000, relative to a class of 10",
        lambda: each(found, 1000) / each(found, 10),
        1.1,
        "",
    )
    add("second run on 1,000 submissions, nothing changed", lambda: size_of(found, 1000)["again"], 5, " s")
    add("speed of two Dask workers with one core each, relative to one", lambda: dask(found), 1.8, " times", least=True)
    add(
        "time of one epoch with plain `fit`, relative to `steps_per_execution=64`",
        lambda: epoch(found),
        2,
        "",
        least=True,
    )
    add(
        "assignment without training, class of 100: speed of this kit, relative to nbgrader",
        lambda: median(_ratios(found["features"], "nbgrader", "class")),
        20,
        " times",
        least=True,
    )
    add(
        "time from saving an edited check to the new result (`make try WATCH=1`)",
        lambda: median(found["features"]["try"]),
        3,
        " s",
    )
    add(
        "time per submission to grade saved evidence again (`make rejudge`)",
        lambda: 1000 * median(found["features"]["rejudge"]),
        20,
        " ms",
    )
    return lines


def _ratios(figures: dict[str, list[float]], above: str, below: str) -> list[float]:
    """Return the ratio of each pair of alternating measurements."""
    return [one / other for one, other in zip(figures[above], figures[below], strict=True)]


def size_of(found: dict[str, Any], size: int) -> dict[str, float]:
    return next(line for line in found["sizes"]["classes"] if line["size"] == size)


def each(found: dict[str, Any], size: int) -> float:
    """Return the seconds per submission in a class of that size."""
    line = size_of(found, size)
    return line["seconds"] / line["size"]


def ratio(found: dict[str, Any], rival: str) -> float:
    """Return how many times as long the rival takes: the median over all rounds of measurements."""
    return median(_ratios(found["rivals"], rival, "class"))


def limit(found: dict[str, Any]) -> float:
    return median(_ratios(found["limit"], "kernel", "alone"))


def dask(found: dict[str, Any]) -> float:
    return median(_ratios(found["dask"], "one", "two"))


def epoch(found: dict[str, Any]) -> float:
    return median(_ratios(found["lab"], "plain", "given"))


def write(path: Path = PAGE, plot: Path = PLOT, found: dict[str, Any] | None = None) -> None:
    found = load() if found is None else found
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    environment.filters |= {"median": median, "percent": "{:.1%}".format}
    text = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        found=found, targets=targets(found), names=NAMES, parts=_parts(found), each=each, sizes=_sizes(found)
    )
    path.write_text(text, encoding="utf-8")
    draw(found, plot)


def _sizes(found: dict[str, Any]) -> list[dict[str, float]]:
    return found.get("sizes", {}).get("classes", [])


def _parts(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(PARTS.get(name, name), figures["measured"]) for name, figures in found.items()]


def draw(found: dict[str, Any], plot: Path) -> None:
    """Plot the seconds per submission by grader and by the size of the class."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    import seaborn as sns

    with sns.axes_style("whitegrid"), sns.plotting_context("notebook"):
        figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
        rivals = [name for name in NAMES if name in found.get("rivals", {}) and name != "class"]
        bars = {NAMES[name]: median(found["rivals"][name]) for name in rivals}
        for line in _sizes(found):
            bars[f"this kit, class of {line['size']:,.0f}"] = line["seconds"] / line["size"]
        colours = [sns.color_palette("colorblind")[name.startswith("this")] for name in bars]
        drawn = left.barh(list(bars), list(bars.values()), color=colours)
        left.bar_label(drawn, fmt="%.2f", padding=4)
        left.set(xscale="log", xlabel="Seconds per submission (log scale)", xlim=(0.3, 3 * max([1.0, *bars.values()])))
        left.invert_yaxis()
        left.grid(axis="y", visible=False)
        sizes = [line["size"] for line in _sizes(found)]
        right.plot(sizes, [line["seconds"] / line["size"] for line in _sizes(found)], "o-", label="first run")
        right.plot(sizes, [line["again"] / line["size"] for line in _sizes(found)], "s--", label="nothing changed")
        right.set(xscale="log", yscale="log", xlabel="Submissions in the class", ylabel="Seconds per submission")
        right.legend()
        plot.parent.mkdir(exist_ok=True)
        figure.savefig(plot, dpi=110, metadata={"Software": None})
        plt.close(figure)

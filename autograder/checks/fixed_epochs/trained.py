"""The training run, what the student recorded about it, and the numbers to compare both with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from autograder.execution.evidence import Evidence, Fit, Value, Window
from autograder.grading.case import Case

ROUNDED = 6e-4
"""How far a recorded accuracy may be from the true one: three decimals are enough."""
MEASURES = ("accuracy", "val_accuracy")
Curves = dict[str, tuple[float, ...]]
"""Accuracies by epoch for each name in MEASURES; NaN for an epoch whose accuracy is unknown."""


@dataclass(frozen=True)
class Trained:
    """The training of one model, in one or more calls of `fit`; `curves` contains what Keras reported."""

    fits: tuple[Fit, ...]
    curves: Curves

    @property
    def first(self) -> Fit:
        return self.fits[0]

    @property
    def epochs(self) -> int:
        return sum(fit.epochs_run for fit in self.fits)

    @property
    def seconds(self) -> float:
        return sum(fit.seconds for fit in self.fits)

    @property
    def joules(self) -> float:
        return sum(fit.joules for fit in self.fits)


@dataclass(frozen=True)
class Work:
    """What the notebook did for the tasks of this assignment."""

    case: Case

    @classmethod
    def of(cls, case: Case) -> Work:
        work: Work = case.memo.setdefault("work", cls(case))
        return work

    @property
    def evidence(self) -> Evidence:
        return self.case.evidence

    @cached_property
    def recorded(self) -> Value | None:
        return self._value("history_rows")

    @cached_property
    def summary(self) -> Value | None:
        return self._value("summary")

    def _value(self, name: str) -> Value | None:
        """Return the last value in the cells of the task `record`, or the stand-in's value if one was used."""
        own = self.evidence.cells_of("record") if "record" not in self.evidence.stand_ins else set()
        return self.evidence.value(name, own)

    @cached_property
    def rows(self) -> tuple[Value, ...]:
        return (self.recorded.items or ()) if self.recorded is not None else ()

    @cached_property
    def recorded_curves(self) -> Curves:
        return {name: tuple(number(row, name) for row in self.rows) for name in MEASURES}

    @cached_property
    def trainings(self) -> tuple[Trained, ...]:
        """The student's own training runs, one per model, ordered by when they ended."""
        found: dict[int, list[Fit]] = {}
        for fit in self.evidence.of(Fit):
            if 0 <= fit.cell < len(self.evidence.cells) and self.evidence.cells[fit.cell].role != "given":
                found.setdefault(fit.model, []).append(fit)
        made = [Trained(tuple(fits), self._curves(fits)) for fits in found.values()]
        return tuple(sorted(made, key=lambda training: training.fits[-1].sequence))

    def _curves(self, fits: Sequence[Fit]) -> Curves:
        """Return the accuracies of every epoch that ran.

        They are the simulated values, or those that Keras reported if training was real.
        """
        known: Curves = dict.fromkeys(MEASURES, ())
        for fit in fits:
            for name in MEASURES:
                values = getattr(fit, name)[: fit.epochs_run]
                missing = fit.epochs_run - len(values)
                known[name] += (*values, *[math.nan] * missing)
        return known

    @cached_property
    def training(self) -> Trained | None:
        """The graded training run: the one that was recorded, else the last in the task's own cells, else the last."""
        own = self.evidence.cells_of("training")
        ranked = sorted(self.trainings, key=lambda t: (self._is_recorded(t.curves), t.fits[-1].cell in own))
        return ranked[-1] if ranked else None

    def _is_recorded(self, curves: Curves) -> bool:
        return any(same(self.recorded_curves[name], curves[name]) for name in MEASURES)

    @cached_property
    def sources(self) -> tuple[Curves, ...]:
        """The curves that the student may have recorded, most likely first.

        They are those of the graded training run and of its stand-in.
        """
        stood_in: tuple[Curves, ...] = ()
        if "training" in self.evidence.stand_ins:
            logs = self.case.scenario.stand_ins["training"]["history"].given["logs"]
            stood_in = ({name: tuple(logs[name]) for name in MEASURES},)
        own = (self.training.curves,) if self.training is not None else ()
        return tuple(sorted((*stood_in, *own), key=self._is_recorded, reverse=True))

    @cached_property
    def costs(self) -> tuple[tuple[float, float], ...]:
        """Pairs of seconds and joules that the student may have recorded, most likely first."""
        own = [(self.training.seconds, self.training.joules)] if self.training is not None else []
        if "training" not in self.evidence.stand_ins:
            return tuple(own)
        given = self.case.scenario.stand_ins["training"]
        return ((given["train_time"], given["total_energy"]), *own)

    @cached_property
    def windowed(self) -> bool:
        """Whether energy was measured during the training run."""
        fits = self.training.fits if self.training is not None else ()
        windows = self.evidence.of(Window)
        return any(w.begin < fit.end and w.end > fit.begin for w in windows for fit in fits)


def number(row: Value, key: str) -> float:
    """Return the number under a key of a row; NaN if there is none."""
    value = (row.entries or {}).get(key)
    return math.nan if value is None or value.number is None else value.number


def same(values: Sequence[float], truth: Sequence[float], scale: float = 1.0) -> bool:
    """Whether accuracies equal the true ones, ignoring unknown (NaN) true values; at least one must be known."""
    pairs = list(zip(values, truth, strict=False))
    known = [abs(value - scale * true) <= scale * ROUNDED for value, true in pairs if not math.isnan(true)]
    return len(values) == len(truth) and bool(known) and all(known)


def close(a: float, b: float, tolerance: float) -> bool:
    """Whether two numbers differ by at most the fraction `tolerance` of the second; NaN is not close to any number."""
    return abs(a - b) <= tolerance * max(abs(b), 1e-12) + 1e-9

"""One of the two loops as it was run: its trainings, its rows, and which row belongs to which training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograder.execution.evidence import Evidence, Fit, NameSeen, Value, Window
from autograder.grading.case import Case, Undecided

TRACE = 3.0
"""Evidence that a row tells of a training: at least one measured value agrees."""


MAX_ROWS = 60
"""Rows that are held against trainings; what comes after them is too much already."""


@dataclass(frozen=True)
class Sweep:
    """The loop over `key`; `values` are the settings asked for, `fixed` is the setting that stays."""

    case: Case
    loop: str

    @classmethod
    def of(cls, case: Case) -> Sweep:
        return cls._named(case, case.item.id.split("-")[0])

    @classmethod
    def _named(cls, case: Case, loop: str) -> Sweep:
        if loop not in case.memo:
            case.memo[loop] = cls(case, loop)
        sweep: Sweep = case.memo[loop]
        return sweep

    @property
    def other(self) -> Sweep:
        """The other one of the two loops."""
        return Sweep._named(self.case, "bs" if self.loop == "lr" else "lr")

    @property
    def evidence(self) -> Evidence:
        return self.case.evidence

    @property
    def name(self) -> str:
        return f"metrics_vs_{self.loop}"

    @property
    def key(self) -> str:
        return "learning_rate" if self.loop == "lr" else "batch_size"

    @property
    def fixed_key(self) -> str:
        return "batch_size" if self.loop == "lr" else "learning_rate"

    @property
    def values(self) -> tuple[float, ...]:
        p = self.case.parameters
        return tuple(map(float, p.learning_rates if self.loop == "lr" else p.batch_sizes))

    @property
    def fixed(self) -> float:
        p = self.case.parameters
        return float(p.default_batch_size if self.loop == "lr" else p.default_learning_rate)

    def label(self, value: float) -> str:
        return f"{self.key.replace('_', ' ')} {value:g}"

    @cached_property
    def recorded(self) -> Value | None:
        if f"{self.loop}-loop" in self.evidence.stand_ins:
            return self.evidence.value(self.name)
        return self.evidence.value(self.name, self._cells(self.loop))

    @cached_property
    def rows(self) -> tuple[Value, ...]:
        return (self.recorded.items or ())[:MAX_ROWS] if self.recorded is not None else ()

    @cached_property
    def fits(self) -> tuple[Fit, ...]:
        """The trainings of this loop, in the order in which they ran.

        Trainings elsewhere than in the task's cells belong to it if a row of the list tells of them. Where the rows
        tell of all settings asked for, those of which none does are drafts, wherever they ran.
        """
        own, others = self._cells(self.loop), self._cells("bs" if self.loop == "lr" else "lr")
        task = self.evidence.cells_of(f"{self.loop}-loop") or own
        fits = [fit for fit in self.evidence.of(Fit) if self._role(fit) != "given"]
        sure = [fit for fit in fits if fit.cell in task and fit.cell not in others]
        maybe = [fit for fit in fits if fit.cell in own and (fit.cell in others or fit.cell not in task)]
        maybe += [fit for fit in fits if self._role(fit) == "extra" and fit.cell not in own | others]
        traced = [(sure + maybe)[index] for _, index in self._pair(self.rows, sure + maybe, TRACE)]
        used = [self.used(fit) for fit in traced]
        is_whole = all(any(close(each, value, 1e-4) for each in used) for value in self.values)
        chosen = {fit.sequence: fit for fit in (traced if is_whole else sure + traced)}
        return tuple(chosen[sequence] for sequence in sorted(chosen))

    def _role(self, fit: Fit) -> str:
        return self.evidence.cells[fit.cell].role if 0 <= fit.cell < len(self.evidence.cells) else "extra"

    def _cells(self, loop: str) -> set[int]:
        """The cells of the loop's task and those of the student's own in which its list changed; of any task where it
        has none, as when all is written into one cell."""
        changed = {e.cell for e in self.evidence.of(NameSeen) if e.name == f"metrics_vs_{loop}"}
        own = self.evidence.cells_of(f"{loop}-loop")
        tasks = () if own else self.case.assignment.cells
        return own | {index for index in changed if self.evidence.cells[index].role in ("extra", *tasks)}

    @cached_property
    def _test_labels(self) -> np.ndarray:
        return self.case.scenario.test_labels()

    def accuracy(self, fit: Fit) -> float:
        """The test accuracy of the model that the training gave, as it was served; where that is not known, from what
        the model predicts."""
        if fit.test_accuracy is not None:
            return fit.test_accuracy
        if fit.test_predictions is None or len(fit.test_predictions) != self.case.scenario.n_test:
            raise Undecided("The predictions of a trained model are not on record.")
        return float(np.mean(np.asarray(fit.test_predictions) == self._test_labels))

    def _known_accuracy(self, fit: Fit) -> float:
        try:
            return self.accuracy(fit)
        except Undecided:
            return math.nan

    @cached_property
    def pairs(self) -> tuple[tuple[Value, Fit], ...]:
        """Each row with the training that it tells of, in the order of the rows."""
        found = self._pair(self.rows, list(self.fits), 0.0)
        return tuple((self.rows[row], self.fits[fit]) for row, fit in sorted(found))

    def _pair(self, rows: tuple[Value, ...], fits: list[Fit], least: float) -> list[tuple[int, int]]:
        if not rows or not fits:
            return []
        scores = np.array(
            [[self._agreement(row, i, fit, j) for j, fit in enumerate(fits)] for i, row in enumerate(rows)]
        )
        return [(i, j) for i, j in assigned(scores) if scores[i, j] >= least]

    def _agreement(self, row: Value, place: int, fit: Fit, order: int) -> float:
        """How much of a row agrees with a training; measured values weigh most, then settings, then the order."""
        measured = {
            "test_accuracy": self._known_accuracy(fit),
            "train_time": fit.seconds,
            "total_energy": fit.joules,
            "epochs": float(fit.epochs_run),
        }
        score = sum(
            3.0
            for key, truth in measured.items()
            if close(number(row, key), truth, 0.01 if key[0] == "t" and key != "test_accuracy" else 1e-4)
        )
        score += 1.0 * close(number(row, "learning_rate"), fit.learning_rate or math.nan, 1e-4)
        score += 1.0 * close(number(row, "batch_size"), float(fit.batch_size), 1e-6)
        return score + 0.5 * (place == order)

    @cached_property
    def intended(self) -> tuple[tuple[Fit, float | None], ...]:
        """Each training with the setting that it was meant for; None when it is one too many."""
        left = list(self.values)
        meant: dict[int, float | None] = {}
        for fit in self.fits:
            match = next((value for value in left if close(self.used(fit), value, 1e-4)), None)
            if match is not None:
                left.remove(match)
                meant[fit.sequence] = match
        for fit in self.fits:
            if fit.sequence not in meant:
                meant[fit.sequence] = left.pop(0) if left else None
        return tuple((fit, meant[fit.sequence]) for fit in self.fits)

    def used(self, fit: Fit) -> float:
        """The swept setting that a training really had."""
        return float(fit.learning_rate or math.nan) if self.loop == "lr" else float(fit.batch_size)

    def used_fixed(self, fit: Fit) -> float:
        return float(fit.batch_size) if self.loop == "lr" else float(fit.learning_rate or math.nan)

    @cached_property
    def windowed(self) -> bool:
        """Whether a window of the energy monitor overlapped one of the trainings."""
        windows = self.evidence.of(Window)
        return any(w.begin < fit.end and w.end > fit.begin for w in windows for fit in self.fits)


def assigned(scores: np.ndarray) -> list[tuple[int, int]]:
    """The places (row, column) whose scores have the largest sum, of each row and column at most one."""
    best = scores.argmax(axis=1)
    only = (scores == scores.max(axis=1, keepdims=True)).sum(axis=1) == 1
    if only.all() and len(set(best)) == len(best):
        return [(row, int(column)) for row, column in enumerate(best)]
    from scipy.optimize import linear_sum_assignment  # here: it is seldom needed, and takes long to import

    return [(int(row), int(column)) for row, column in zip(*linear_sum_assignment(scores, maximize=True), strict=True)]


def number(row: Value, key: str) -> float:
    """The number under the key of a row, NaN where there is none."""
    value = (row.entries or {}).get(key)
    return math.nan if value is None or value.number is None else value.number


def close(a: Any, b: float, tolerance: float) -> bool:
    return bool(abs(a - b) <= tolerance * max(abs(b), 1e-12) + 1e-9) if not math.isnan(a) else False

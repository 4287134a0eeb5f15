"""One of the two loops as it was run: its training runs, its rows, and which row belongs to which run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograder.execution.evidence import Evidence, Fit, NameSeen, Value, Window
from autograder.grading.case import Case, Undecided

TRACE = 3.0
"""Minimum score for a row to count as evidence that a training run belongs to the loop.

It means that at least one measured value agrees.
"""


MAX_ROWS = 60
"""Maximum number of rows that are compared with training runs; any further rows are surplus."""


@dataclass(frozen=True)
class Sweep:
    """The loop over `key`; `values` are the required settings; `fixed` is the setting that is the same in every run."""

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
        """The other of the two loops."""
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
        """The training runs of this loop, in the order in which they ran.

        Training runs in other cells belong to the loop if a row describes them. If the rows cover all required
        settings, runs that no row describes are drafts, whichever cell they ran in.
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
        """Return the cells of the loop's task, and cells that the student added in which the list changed.

        If the task has no cells of its own (for example, if everything is in one cell), they may be those of any task.
        """
        changed = {e.cell for e in self.evidence.of(NameSeen) if e.name == f"metrics_vs_{loop}"}
        own = self.evidence.cells_of(f"{loop}-loop")
        tasks = () if own else self.case.assignment.cells
        return own | {index for index in changed if self.evidence.cells[index].role in ("extra", *tasks)}

    @cached_property
    def _test_labels(self) -> np.ndarray:
        return self.case.scenario.test_labels()

    def accuracy(self, fit: Fit) -> float:
        """Return the test accuracy of the trained model.

        It is the simulated value; if that is unknown, it is computed from the model's predictions.
        """
        if fit.test_accuracy is not None:
            return fit.test_accuracy
        if fit.test_predictions is None or len(fit.test_predictions) != self.case.scenario.n_test:
            raise Undecided("The predictions of a trained model were not recorded.")
        return float(np.mean(np.asarray(fit.test_predictions) == self._test_labels))

    def _known_accuracy(self, fit: Fit) -> float:
        try:
            return self.accuracy(fit)
        except Undecided:
            return math.nan

    @cached_property
    def pairs(self) -> tuple[tuple[Value, Fit], ...]:
        """Each row with the training run that it describes, in the order of the rows."""
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
        """Return how well a row and a training run agree: measured values weigh most, then settings, then order."""
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
        """Each training run with the setting that it was meant for; None for a surplus run."""
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
        """Return the swept setting that a training run actually used."""
        return float(fit.learning_rate or math.nan) if self.loop == "lr" else float(fit.batch_size)

    def used_fixed(self, fit: Fit) -> float:
        return float(fit.batch_size) if self.loop == "lr" else float(fit.learning_rate or math.nan)

    @cached_property
    def windowed(self) -> bool:
        """Whether energy was measured during one of the training runs."""
        windows = self.evidence.of(Window)
        return any(w.begin < fit.end and w.end > fit.begin for w in windows for fit in self.fits)


def assigned(scores: np.ndarray) -> list[tuple[int, int]]:
    """Return the (row, column) pairs with the largest total score, at most one in each row and column."""
    best = scores.argmax(axis=1)
    only = (scores == scores.max(axis=1, keepdims=True)).sum(axis=1) == 1
    if only.all() and len(set(best)) == len(best):
        return [(row, int(column)) for row, column in enumerate(best)]
    from scipy.optimize import linear_sum_assignment  # here, because it is rarely needed and slow to import

    return [(int(row), int(column)) for row, column in zip(*linear_sum_assignment(scores, maximize=True), strict=True)]


def count_epochs(count: int) -> str:
    """Return the number of epochs in words, such as `1 epoch`."""
    return "1 epoch" if count == 1 else f"{count} epochs"


def number(row: Value, key: str) -> float:
    """Return the number under a key of a row; NaN if there is none."""
    value = (row.entries or {}).get(key)
    return math.nan if value is None or value.number is None else value.number


def close(a: Any, b: float, tolerance: float) -> bool:
    return bool(abs(a - b) <= tolerance * max(abs(b), 1e-12) + 1e-9) if not math.isnan(a) else False

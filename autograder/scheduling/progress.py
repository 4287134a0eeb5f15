"""The progress of grading a class: a bar in a terminal, elsewhere a line for each submission."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from autograder.common.encoders import encode_terminal
from autograder.grading.verdict import Done

MAX_NAMES = 4
"""Maximum number of students who are named while they are graded; of others, only the number is shown."""


class ClassProgress:
    """Shows how many submissions are graded, the rate, the remaining time, and who is being graded."""

    def __init__(self, console: Console) -> None:
        self.console = console
        columns = (
            "Grading",
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[now]}"),
        )
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task("", total=None, now="getting ready")
        self._running: list[str] = []
        self._unchanged = 0

    def __enter__(self) -> ClassProgress:
        self._bar.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.__exit__(kind, error, at)

    def start(self, student: str) -> None:
        """Show that a student's submission is being graded."""
        self._running.append(student)
        self._show()

    def finish(self, done: Done, number: int, total: int) -> None:
        """Show that a student is done, as the `number`th of `total`; unchanged submissions do not affect the rate."""
        if done.student in self._running:
            self._running.remove(done.student)
        self._unchanged += done.skipped
        self._bar.update(self._task, completed=number - self._unchanged, total=total - self._unchanged)
        self._show("" if number < total else "publishing the results")
        if not self.console.is_terminal:
            word = "unchanged" if done.skipped else done.verdict.state
            name = encode_terminal(done.student)
            line = f"{number}/{total} {name}: {done.verdict.points:g} points, {word}"
            self.console.print(line, highlight=False, markup=False)

    def _show(self, otherwise: str = "") -> None:
        names = ", ".join(encode_terminal(name)[:20] for name in self._running[:MAX_NAMES])
        more = len(self._running) - MAX_NAMES
        self._bar.update(self._task, now=escape(f"{names} and {more} more" if more > 0 else names or otherwise))


class _Rate(ProgressColumn):
    """Submissions per minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{60 * task.speed:.0f}/min" if task.speed else "")

"""Who is being graded, how many are done and at which rate; a plain log where there is no terminal."""

from __future__ import annotations

import io

from rich.console import Console

from autograder.grading.verdict import Done, Verdict
from autograder.scheduling.progress import ClassProgress


def done(student: str, skipped: bool = False) -> Done:
    return Done(student, Verdict(assignment="lab", student=student, state="graded", items=()), skipped)


def shown(progress: ClassProgress) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(progress._bar.get_renderable())
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_bar_counts_work_and_names_who_is_graded() -> None:
    progress = ClassProgress(Console(file=io.StringIO(), force_terminal=True, width=160))
    assert "getting ready" in shown(progress)
    for number in range(1, 8):
        progress.finish(done(f"old-{number}", skipped=True), number, 10)
    progress.start("ada")
    progress.start("[bob]")
    assert "0/3" in shown(progress)
    assert "ada, [bob]" in shown(progress)
    progress.finish(done("ada"), 8, 10)
    progress.finish(done("[bob]"), 9, 10)
    assert "2/3" in shown(progress)
    assert "/min" in shown(progress)
    assert "ada" not in shown(progress)
    progress.finish(done("cy"), 10, 10)
    assert "publishing the results" in shown(progress)


def test_many_at_a_time_are_counted() -> None:
    progress = ClassProgress(Console(file=io.StringIO(), force_terminal=True, width=160))
    for number in range(7):
        progress.start(f"s{number}")
    assert "s0, s1, s2, s3 and 3 more" in shown(progress)


def test_names_do_not_act_on_the_terminal() -> None:
    progress = ClassProgress(Console(file=io.StringIO(), force_terminal=True, width=160))
    progress.start("a\x1b[31m\n\u202eb")
    assert "a\\x1b[31m\\n\\u202eb" in shown(progress)
    console = Console(file=io.StringIO(), width=160)
    ClassProgress(console).finish(done("a\x1b[31m\n\u202eb"), 1, 1)
    assert console.file.getvalue() == "1/1 a\\x1b[31m\\n\\u202eb: 0 points, graded\n"  # type: ignore[attr-defined]


def test_without_a_terminal_there_is_a_line_for_each() -> None:
    console = Console(file=io.StringIO(), width=160)
    with ClassProgress(console) as progress:
        progress.start("ada")
        progress.finish(done("[ada]"), 1, 2)
        progress.finish(done("bob", skipped=True), 2, 2)
    lines = console.file.getvalue().split("\n")  # type: ignore[attr-defined]
    assert lines[:2] == ["1/2 [ada]: 0 points, graded", "2/2 bob: 0 points, unchanged"]

"""The command line, one verb for each target of the Makefile."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment
from autograder.execution.options import Options
from autograder.grading.verdict import Verdict
from autograder.integrations import Format
from autograder.reporting.scores import Score
from autograder.results.store import STUDENTS, ResultStore
from autograder.scheduling.signals import Stopped, stoppable

from .common.encoders import encode_terminal
from .common.validation import describe_invalid
from .errors import AutograderError


class Commands(TyperGroup):
    """The commands; an invalid option is described in the same words as an invalid setting."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            if isinstance(error.__cause__, ValidationError):
                error.message = f"{describe_invalid(error.__cause__)}."
            raise


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()
errors = Console(stderr=True)

DEMO_SECONDS = 6
"""Time limit in seconds for a cell of the sample class: one of its notebooks contains an endless loop."""

Name = Annotated[str, typer.Option(help="name of the assignment, a folder in source/")]
Out = Annotated[Path, typer.Option(help="folder for the results")]
Submitted = Annotated[Path, typer.Option(help="folder with one folder for each student")]
Jobs = Annotated[int, typer.Option(help="number of submissions graded in parallel; 0: number of cores + 1")]
Train = Annotated[
    Literal["scripted", "real"],
    typer.Option(help="simulated (scripted) or real training, on a small data set"),
]
Data = Annotated[Path | None, typer.Option(help="folder with the four data files (default: data/ of the course)")]
Seed = Annotated[int | None, typer.Option(help="random seed; the same seed gives the same data and training curves")]
Sandbox = Annotated[
    Literal["any", "bwrap", "podman", "none"],
    typer.Option(help="sandbox for the submissions; any: bubblewrap, or else Podman; none: no sandbox"),
]
Kernel = Annotated[
    Literal["auto", "warm", "plain"],
    typer.Option(help="fork kernels from a preloaded process (warm) or start a new process for each (plain)"),
]


class TerminalFormatter(logging.Formatter):
    """Escapes control characters in warnings, which may quote names chosen by students; tracebacks keep their lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return encode_terminal(super().formatMessage(record))


def spoken(command: Callable[..., Any]) -> Callable[..., Any]:
    """Make a command print the message of an error that a grader may see, and exit with its status: 2 if the command
    was given something that it cannot use, else 1."""

    @functools.wraps(command)
    def speak(*args: Any, **kwargs: Any) -> Any:
        if logging.lastResort is not None:
            logging.lastResort.setFormatter(TerminalFormatter())
        try:
            with stoppable():
                return command(*args, **kwargs)
        except AutograderError as error:
            sentence = Text.assemble(("Error:", "bold red"), " ", encode_terminal(str(error)))
            errors.print(sentence, highlight=False, soft_wrap=True)
            raise typer.Exit(error.status) from None
        except KeyboardInterrupt as error:
            errors.print("Stopped. Finished results are kept; run the same command again to continue.")
            raise typer.Exit(error.status if isinstance(error, Stopped) else 130) from None

    return speak


@app.command()
@spoken
def release(assignment: Name = "tta-eta") -> None:
    """Write the students' version of the notebook."""
    from autograder.assignment import release as releases

    loaded = Assignment.load(assignment)
    path = releases.release(loaded)
    console.print(f"Released: {path}")
    for part, name in loaded.exercise.find_unknown(loaded.cells):
        console.print(f"Note: `{part}` in exercise.py refers to {name!r}, which is not a cell of this assignment.")


@app.command()
@spoken
def validate(notebook: Annotated[Path | None, typer.Argument()] = None, assignment: Name = "tta-eta") -> None:
    """Check the source and its release, or one notebook before it is submitted."""
    from autograder.commands import validate as validation

    loaded = Assignment.load(assignment)
    sentences = (
        validation.validate_release(loaded) if notebook is None else validation.validate_notebook(loaded, notebook)
    )
    print_list(sentences)
    if notebook is None and loaded.only_shown:
        print_line(f"Not run when a notebook is graded: {', '.join(loaded.only_shown)}.")
    if sentences:
        raise typer.Exit(1)
    console.print(
        "The release earns no points, and the solution earns full points." if notebook is None else "Ready to submit."
    )


@app.command()
@spoken
def autograde(
    assignment: Name = "tta-eta",
    submitted: Submitted = Path("submitted"),
    out: Out = Path("graded"),
    jobs: Jobs = 0,
    train: Train = "scripted",
    seed: Seed = None,
    kernel: Kernel = "auto",
    sandbox: Sandbox = "any",
    scheduler: Annotated[
        str, typer.Option(help="address of the Dask scheduler whose workers do the grading, such as tcp://host:8786")
    ] = "",
    student: Annotated[list[str] | None, typer.Option(help="grade only this student's submission")] = None,
) -> None:
    """Grade every submission that is new or changed, and write the gradebook, tables and pages."""
    loaded = Assignment.load(assignment)
    how = {"jobs": jobs, "kernel": kernel, "sandbox": sandbox, "scheduler": scheduler, "only": student or ()}
    run_grading(loaded, submitted, out, Options(seed=seed, training=train), **how)
    print_places(ResultStore(out, loaded))


def run_grading(assignment: Assignment, submitted: Path, out: Path, options: Options | None = None, **how: Any) -> None:
    """Grade a class with a progress bar, and print the results; `how` are further arguments of `grade_class`."""
    from autograder.commands.grade import grade_class
    from autograder.scheduling.progress import ClassProgress

    with ClassProgress(console) as progress:
        how |= {"on_start": progress.start, "on_done": progress.finish, "log": print_line}
        verdicts = grade_class(assignment, submitted, out, options, **how)
    points = ResultStore(out, assignment).read_points(verdicts)
    console.print(class_table(assignment, verdicts, points, console.width))


def class_table(
    assignment: Assignment, verdicts: list[Verdict], points: Mapping[str, Mapping[str, float | None]], width: int = 100
) -> Table:
    """Return a table of the class: points per item, total and state.

    `points` are those of each student, including manual ones. On a terminal that is narrower than 100 characters, only
    the heading says that the second number of a total is pending.
    """
    is_wide = width >= 100
    heading, word = ("total", " pending") if is_wide else ("total +\npending", "")
    table = Table(title=f"{assignment.title} ({assignment.name})", box=None, padding=(0, 1, 0, 0))
    longest = max((len(verdict.student) for verdict in verdicts), default=0)
    table.add_column("student", overflow="fold", min_width=min(longest, 10))
    for item in assignment.judged_items:
        table.add_column(item.id.replace("-", "-\n"), justify="right", no_wrap=True)
    table.add_column(heading, justify="right", style="bold", min_width=10)
    table.add_column("state", min_width=6)
    for verdict in verdicts:
        mine = points[verdict.student]
        cells = ["?" if mine[item.id] is None else f"{mine[item.id]:g}" for item in assignment.judged_items]
        score = Score.of(assignment, mine)
        state = "to be graded" if is_wide and verdict.state == "graded" and score.waiting else verdict.state
        table.add_row(Text(encode_terminal(verdict.student)), *cells, describe_total(score, word), state)
    return table


def describe_total(score: Score, word: str) -> str:
    """Return a total such as "88/88 + 12 pending": the points, their maximum so far, and points still to be given."""
    return f"{score.total:g}/{score.so_far:g}" + (f" + {score.pending:g}{word}" if score.pending else "")


@app.command(name="rejudge")
@spoken
def rejudge_class(
    assignment: Name = "tta-eta", out: Out = Path("graded"), submitted: Submitted = Path("submitted")
) -> None:
    """After you edit a check, grade again from the recorded runs; rerun a submission only if its record lacks data."""
    from autograder.commands import rejudge

    loaded = Assignment.load(assignment)
    rejudged = rejudge.rejudge_class(ResultStore(out, loaded))
    for student, (before, after) in rejudged.changed.items():
        console.print(f"{encode_terminal(student)}: {before:g} -> {after:g} points", highlight=False)
    counts = (len(rejudged.changed), rejudged.unchanged, len(rejudged.to_run))
    console.print("{} changed, {} unchanged, {} to run again.".format(*counts))
    if rejudged.to_run:
        names = ", ".join(rejudged.to_run)
        why = (
            "because a check needs something that was not recorded, or because the record is missing or was written by "
            "another version"
        )
        print_line(f"Running these submissions again, {why}: {names}")
        run_grading(loaded, submitted, out, only=rejudged.to_run)
        print_places(ResultStore(out, loaded))


@app.command(name="new-assignment")
@spoken
def new_assignment(
    name: Annotated[str, typer.Argument(help="lower-case words joined by hyphens, such as my-task")],
) -> None:
    """Write a small but complete assignment, which you can edit."""
    from autograder.assignment.course import Course
    from autograder.commands import new_assignment as assignments
    from autograder.errors import shorten_path

    written = assignments.create(name, Course.find())
    print_line("Edit these files:")
    print_list(shorten_path(path) for path in written)
    print_line(f"Then run `make release validate ASSIGNMENT={name}`.")
    print_line(f"To see the result of each check, run `make try ASSIGNMENT={name}`.")


@app.command(name="try")
@spoken
def try_notebook(
    notebook: Annotated[Path | None, typer.Argument(help="path of the notebook (default: the solution)")] = None,
    assignment: Name = "tta-eta",
    seed: Seed = None,
    evidence: Annotated[bool, typer.Option("--evidence", help="show what was recorded")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="run again when a file it depends on changes")] = False,
) -> None:
    """Run one notebook and show the result of each check."""
    from autograder.commands import try_notebook as trying

    run = trying.watch if watch else trying.try_notebook
    run(Assignment.load(assignment), notebook, Options(seed=seed), shows_evidence=evidence, log=print_line)


@app.command(name="feedback")
@app.command(name="report")
@spoken
def publish(assignment: Name = "tta-eta", out: Out = Path("graded")) -> None:
    """Update the feedback pages, the class report and the table of grades with points that were entered manually."""
    from autograder.reporting import publish as publishing

    store = ResultStore(out, Assignment.load(assignment))
    publishing.publish(store)
    print_line(f"Feedback pages: {store.folder / STUDENTS}/<student>/feedback.html")
    print_places(store)


def print_places(store: ResultStore) -> None:
    """Print where the results of a class are."""
    print_line(f"Report: {store.folder / 'report.html'}")
    print_line(f"Table: {store.folder / 'grades.csv'}")
    print_line(f"Gradebook: {store.gradebook}")


@app.command()
@spoken
def export(
    form: Annotated[Format, typer.Option("--format", help="the system to export to")],
    assignment: Name = "tta-eta",
    out: Out = Path("graded"),
    roster: Annotated[Path | None, typer.Option(help="the class list exported from Canvas or Moodle")] = None,
    column: Annotated[str | None, typer.Option(help="the name of the assignment in that system")] = None,
) -> None:
    """Write the points to a file that another system can import."""
    from autograder.integrations import export as exports

    done = exports.export(ResultStore(out, Assignment.load(assignment)), form, roster, column)
    print_list(done.sentences)
    print_line(f"Table: {done.path}")


@app.command(name="new-term")
@spoken
def new_term(
    term: Annotated[str, typer.Argument(help="the name of the new term")],
    out: Out = Path("graded"),
    submitted: Submitted = Path("submitted"),
) -> None:
    """Archive the results and submissions of the old term and start a new one."""
    from autograder.commands import new_term as terms

    print_list(terms.new_term(term, out, submitted))


@app.command()
@spoken
def gradescope(assignment: Name = "tta-eta") -> None:
    """Package the autograder for Gradescope."""
    from autograder.integrations import gradescope as packages

    console.print(f"Upload to Gradescope: {packages.pack(Assignment.load(assignment))}", soft_wrap=True)


@app.command(name="gradescope-run", hidden=True)
@spoken
def gradescope_run(assignment: Name = "tta-eta", root: Path = Path("/autograder")) -> None:
    """Grade one submission on Gradescope."""
    from autograder.integrations import gradescope as packages

    console.print_json(data=packages.run(Assignment.load(assignment), root))


@app.command()
@spoken
def serve(
    assignment: Name = "tta-eta",
    at: Annotated[Path, typer.Option("--socket", help="where students connect")] = Path("/srv/lab/verdict.sock"),
    out: Out = Path("graded"),
    minutes: Annotated[float, typer.Option(min=0, help="minutes that must pass between a student's requests")] = 30,
    sandbox: Annotated[Literal["any", "bwrap", "podman"], typer.Option(help="sandbox for the notebooks")] = "any",
) -> None:
    """Run a server from which students on this machine can get their provisional points."""
    from autograder.integrations import verdict_server

    verdict_server.serve(Assignment.load(assignment), at, out, minutes=minutes, sandbox=sandbox, log=print_line)


def print_list(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        print_line(f"- {sentence}")


def print_line(sentence: str) -> None:
    """Print a sentence literally: names that students chose must not act as markup or control sequences."""
    console.print(encode_terminal(sentence), highlight=False, markup=False, soft_wrap=True)


@app.command()
@spoken
def profile(assignment: Name = "tta-eta", times: Annotated[int, typer.Option(min=1)] = 7) -> None:
    """Show how long each part of grading a submission takes."""
    from autograder.commands import profile as profiles

    console.print(profiles.table(*profiles.profile(Assignment.load(assignment), times)))


@app.command()
@spoken
def lab(assignment: Name = "tta-eta", data: Data = None, out: Path = Path("lab")) -> None:
    """Run the solution notebook with real training."""
    from autograder.commands import run_lab as labs

    loaded = Assignment.load(assignment)
    labs.run_lab(loaded, data or loaded.course.data, out)


@app.command()
@spoken
def demo(out: Path = Path("demo")) -> None:
    """Release the assignments, grade the sample class and show where the results are."""
    from autograder.assignment import release as releases
    from samples.build import ASSIGNMENTS, build

    known = Course.find().assignments()
    wanted = [Assignment.load(name) for name in ASSIGNMENTS if name in known]
    for loaded in wanted:
        releases.release(loaded)
        build(out / "submitted", loaded.name)
        limits = Options().limits_of(loaded)
        if loaded.name == "tta-eta":
            print_line(
                f"In this demonstration a cell may run for {DEMO_SECONDS} s instead of {limits.cell:g} s, because the "
                "notebook of one sample student (maple) contains an endless loop."
            )
        options = Options(limits=replace(limits, cell=DEMO_SECONDS))
        run_grading(loaded, out / "submitted", out / "graded", options, sandbox="auto")
    report = ResultStore(out / "graded", wanted[-1]).folder / "report.html"
    print_line(f"Open {report} in a browser: it begins with a list of things to do, and links to every feedback page.")
    if len(wanted) > 1:
        print_line(f"{out / 'graded' / 'course.html'} shows the points of all assignments together.")
    print_line("docs/grader.md explains what the results mean and how to enter the pending points.")
    print_line("Next, grade your own class: make autograde SUBMITTED=folder OUT=graded")

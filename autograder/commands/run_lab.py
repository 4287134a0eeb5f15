"""The real lab: the instructor's notebook executed on the data, as a notebook, as HTML and as tables."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.assignment import dataset
from autograder.assignment.settings import Assignment
from autograder.assignment.source import read, source_path
from autograder.errors import AutograderError, KernelFailed

Rows = list[dict[str, Any]]
REPORT = "import json\nprint(json.dumps([{}], default=float))"


def run_lab(
    assignment: Assignment, data_folder: Path, out_folder: Path, console: Console | None = None
) -> dict[str, Rows]:
    """Executes the source notebook for real and writes it to `out_folder` with its figures, as `.ipynb` and `.html`.

    Prints what each setting took to reach the target. Returns the notebook's own lists by their names.
    Raises DataError when the data cannot be used, KernelFailed when the kernel breaks, and AutograderError
    with the section and the exception when a cell of the notebook does.
    """
    console = console or Console()
    if names := assignment.exercise.data_files:
        dataset.load(data_folder, names)
    notebook = read(source_path(assignment))
    series = assignment.exercise.series
    lists = [one.rows for one in series]
    notebook.cells.append(nbformat.v4.new_code_cell(REPORT.format(", ".join(lists))))
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "data").symlink_to(data_folder.resolve(), target_is_directory=True)
        for module in source_path(assignment).parent.glob("*.py"):
            (Path(scratch) / module.name).symlink_to(module.resolve())
        _execute(notebook, Path(scratch), console)
    values = json.loads(
        "".join(output.text for output in notebook.cells.pop().outputs if output.get("name") == "stdout")
    )
    rows: dict[str, Rows] = dict(zip(lists, values, strict=True))
    _write(notebook, assignment, out_folder)
    for one, swept in assignment.exercise.swept.values():
        console.print(_table(rows[one.rows], swept.key, assignment))
    console.print(f"Notebook and figures: {out_folder / assignment.name}.ipynb and .html")
    return rows


def _execute(notebook: NotebookNode, folder: Path, console: Console) -> None:
    """Runs every cell in `folder`, with a progress bar that names the section."""
    titles = section_titles(notebook)
    columns = (
        TextColumn("cell"),
        MofNCompleteColumn(),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("starting the kernel", total=len(titles))

        def show(cell: NotebookNode, cell_index: int) -> None:
            progress.update(task, completed=cell_index + 1, description=titles[cell_index])

        client = NotebookClient(
            notebook,
            timeout=None,
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": str(folder)}},
            on_cell_start=show,
        )
        try:
            client.execute(stderr=subprocess.DEVNULL)  # the kernel says there what nobody need see
        except CellExecutionError as error:
            section = progress.tasks[0].description
            raise AutograderError(
                f"The notebook raised {error.ename} in section {section!r}: {error.evalue}."
            ) from None
        except (DeadKernelError, CellTimeoutError) as error:
            raise KernelFailed(
                f"The kernel stopped unexpectedly in the section {progress.tasks[0].description!r}: {error}."
            ) from None


def section_titles(notebook: NotebookNode) -> list[str]:
    """For each cell the heading that it stands under, without the marks of Markdown."""
    titles: list[str] = []
    title = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            title = cell.source.splitlines()[0].lstrip("# ").split(" (task")[0]
        titles.append(title)
    return titles


def _write(notebook: NotebookNode, assignment: Assignment, folder: Path) -> None:
    from nbconvert import HTMLExporter  # imported here: it takes a second that other commands need not wait

    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / assignment.notebook_name)
    page, _ = HTMLExporter().from_notebook_node(notebook, resources={"metadata": {"name": assignment.title}})
    (folder / f"{assignment.name}.html").write_text(page, encoding="utf-8")


def _table(rows: Rows, setting: str, assignment: Assignment) -> Table:
    """What each setting took to reach the target: epochs, seconds, joules, and the test accuracy that came of it."""
    parameters: Any = assignment.parameters
    measured = any(row.get("total_energy") is not None for row in rows)
    caption = None if measured else "Energy could not be measured on this machine."
    name = setting.replace("_", " ")
    table = Table(title=f"Training to a validation accuracy above {parameters.threshold}", caption=caption)
    for heading in (name, "epochs", "time (s)", "energy (J)", "test accuracy"):
        table.add_column(heading, justify="right")
    for row in rows:
        late = row["epochs"] >= parameters.max_epochs
        energy = row.get("total_energy")
        table.add_row(
            f"{row[setting]:g}",
            f"{row['epochs']:g}" + (" (not reached)" if late else ""),
            f"{row['train_time']:.1f}",
            "not measured" if energy is None else f"{energy:.0f}",
            f"{row['test_accuracy']:.3f}",
        )
    return table

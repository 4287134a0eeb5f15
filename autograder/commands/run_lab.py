"""Run the real lab: execute the instructor's notebook, and write it as a notebook, as HTML and as tables."""

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
    """Execute the source notebook with real training and write it to `out_folder` with its figures, as `.ipynb` and
    `.html`.

    Print the epochs, time and energy that each setting needed to reach the target. Return the notebook's lists by name.
    Raise DataError if the data cannot be used, KernelFailed if the kernel fails, and AutograderError with the section
    and the exception if a cell of the notebook raises one.
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
    """Run all cells in `folder`, with a progress bar that names the section."""
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
            client.execute(stderr=subprocess.DEVNULL)  # hides the kernel's own log
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
    """Return for each cell the heading of its section, without Markdown markup."""
    titles: list[str] = []
    title = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            title = cell.source.splitlines()[0].lstrip("# ").split(" (task")[0]
        titles.append(title)
    return titles


def _write(notebook: NotebookNode, assignment: Assignment, folder: Path) -> None:
    from nbconvert import HTMLExporter  # imported here, because it takes a second

    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / assignment.notebook_name)
    page, _ = HTMLExporter().from_notebook_node(notebook, resources={"metadata": {"name": assignment.title}})
    (folder / f"{assignment.name}.html").write_text(page, encoding="utf-8")


def _table(rows: Rows, setting: str, assignment: Assignment) -> Table:
    """Return a table of the epochs, time and energy to reach the target, and the test accuracy, by setting."""
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

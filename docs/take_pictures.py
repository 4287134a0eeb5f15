"""Take the screenshots of `docs/gallery`: `make pictures`.

The pages are those of the sample class; the checks are outputs of the students' notebook, executed as a dry run. The
screenshots of JupyterLab and of the formgrader are taken by the browser tests.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image
from playwright.async_api import Browser, FloatRect, async_playwright

from autograder.assignment.course import Course
from autograder.common.cells import cells_by_id
from tests.browser import chromium

ROOT = Path(__file__).resolve().parents[1]
GALLERY = ROOT / "docs" / "gallery"
STUDENTS = ROOT / "demo" / "graded" / "tta-eta" / "students"
REPORT = STUDENTS.parent / "report.html"

WIDE, PHONE, MARGIN = 1280, 390, 12


@dataclass(frozen=True)
class Shot:
    """A screenshot of a page, at most `height` pixels high, or of its parts that the selector `parts` finds."""

    name: str
    path: Path
    width: int = 900
    height: int = 1400
    parts: str = ""
    dark: bool = False


SHOTS = (
    Shot("feedback", STUDENTS / "hazel" / "feedback.html"),
    Shot("feedback-start", STUDENTS / "hazel" / "feedback.html", height=760),
    Shot("feedback-callback", STUDENTS / "juniper" / "feedback.html", parts="section[aria-labelledby=item-callback]"),
    Shot("feedback-phone", STUDENTS / "juniper" / "feedback.html", width=PHONE, height=1200, dark=True),
    Shot("report", REPORT, width=WIDE, height=1900),
    Shot("report-start", REPORT, height=760),
    Shot("report-measured", REPORT, width=WIDE, height=1100, parts="h2:has-text('What the class measured') ~ *"),
)

WRONG = {
    "check-details": ("data-details", "n_tr = Xtr_scale.shape\nn_ts = len(Xts_scale)\nn_feat = Xtr_scale.shape[1]"),
    "check-callback": (
        "callback",
        "class TrainToAccuracy(callbacks.Callback):\n"
        "    def __init__(self, threshold=0.9, patience=3):\n"
        "        super().__init__()\n"
        "        self.threshold, self.patience, self.count = threshold, patience, 0\n\n"
        "    def on_epoch_end(self, epoch, logs=None):\n"
        "        self.count += logs['val_accuracy'] >= self.threshold\n"
        "        if self.count >= self.patience:\n"
        "            self.model.stop_training = True",
    ),
    "check-loop": (
        "lr-loop",
        "metrics_vs_lr = [\n"
        "    {'learning_rate': 0.0001, 'batch_size': 128, 'epochs': 10, 'test_accuracy': 0.97, 'train_time': 11.2},\n"
        "    {'learning_rate': 0.001, 'batch_size': 128, 'epochs': 3, 'test_accuracy': 97.4, 'train_time': 3.4},\n"
        "    {'learning_rate': 0.01, 'batch_size': 128, 'epochs': 3, 'test_accuracy': 0.98, 'train_time': -3.3},\n"
        "]",
    ),
}
"""For each picture of a check, the task and a wrong answer to it."""


def execute_wrong_answers(folder: Path) -> list[Shot]:
    """Run the released notebook with the wrong answers, and save each check and the cell before it as a page."""
    course = Course.find()
    path = course.release / "tta-eta" / "tta-eta.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cells = cells_by_id(notebook)
    for task, code in WRONG.values():
        cells[task].source = code
    last = notebook.cells.index(cells["lr-loop-check"])
    notebook.cells = notebook.cells[: last + 1]
    (folder / "lab_helpers.py").write_bytes((path.parent / "lab_helpers.py").read_bytes())
    (folder / "data").symlink_to(course.data)
    cells["dry-run"].source = cells["dry-run"].source.replace("DRY_RUN = False", "DRY_RUN = True")
    NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}, allow_errors=True).execute()
    shots = []
    for name, (task, _) in WRONG.items():
        part = nbformat.v4.new_notebook(cells=[cells[task], cells[f"{task}-check"]], metadata=notebook.metadata)
        page = folder / f"{name}.html"
        page.write_text(HTMLExporter().from_notebook_node(part)[0], encoding="utf-8")
        shots.append(Shot(name, page, width=980, parts=".jp-Cell >> nth=-1"))
    return shots


async def take(browser: Browser, shot: Shot) -> None:
    """Take one screenshot and save it with at most 256 colours."""
    page = await browser.new_page(
        viewport={"width": shot.width, "height": 900}, color_scheme="dark" if shot.dark else "light"
    )
    await page.goto(shot.path.as_uri())
    await page.wait_for_timeout(500)
    start, end = 0.0, await page.evaluate("document.documentElement.scrollHeight")
    if shot.parts:
        parts = [box for part in await page.locator(shot.parts).all() if (box := await part.bounding_box())]
        start = min(box["y"] for box in parts) - MARGIN
        end = max(box["y"] + box["height"] for box in parts) + MARGIN
    clip = FloatRect(x=0, y=start, width=shot.width, height=min(end - start, shot.height))
    picture = await page.screenshot(full_page=True, clip=clip)
    await page.close()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256).save(GALLERY / f"{shot.name}.png", optimize=True)
    print(f"{shot.name}.png")


async def main() -> None:
    """Take all screenshots, or those that are named on the command line."""
    with tempfile.TemporaryDirectory() as place:
        names = sys.argv[1:]
        shots = [shot for shot in SHOTS if not names or shot.name in names]
        if not names or set(names) & WRONG.keys():
            shots += execute_wrong_answers(Path(place))
        async with async_playwright() as playwright:
            program = chromium.program() or chromium.fetch()
            browser = await playwright.chromium.launch(executable_path=program, args=chromium.QUIET)
            for shot in shots:
                await take(browser, shot)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())

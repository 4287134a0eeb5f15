"""Students in JupyterLab and graders in the formgrader: real servers, opened in Chromium."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.reporting import gradebook
from autograder.results.store import gradebook_url
from samples.build import build
from tests.places import ROOT

pytestmark = pytest.mark.browser

NAME = "tta-eta"
STUDENT = "basil"
TOO_EARLY = """class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = logs["val_accuracy"] > self.threshold
"""
"""A callback that forgets its patience."""

NOT_RUN = "[ ]:"
SECONDS = 60_000
"""Milliseconds that a server or a kernel may take for what is expected of it."""


@contextlib.contextmanager
def jupyter(folder: Path, place: Path, **variables: str) -> Iterator[tuple[str, str]]:
    """A Jupyter server on a port of its own with `folder` as its root: its address and its token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, address = secrets.token_hex(16), f"http://127.0.0.1:{port}"
    settings = place / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}), encoding="utf-8")
    (place / "log").mkdir()
    news = place / "settings" / "@jupyterlab" / "apputils-extension"
    news.mkdir(parents=True)
    (news / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false"}), encoding="utf-8")
    options = ["--no-browser", "--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    options += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"]
    with (place / "log" / "server.txt").open("w", encoding="utf-8") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", *options],
            cwd=folder,
            env=os.environ | {"JUPYTERLAB_SETTINGS_DIR": str(place / "settings")} | variables,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_for(f"{address}/api?token={token}", started)
            yield address, token
        finally:
            os.killpg(started.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.wait(15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()


def _wait_for(address: str, started: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS / 1000
    while time.monotonic() < deadline:
        assert started.poll() is None, "the server ended"
        with contextlib.suppress(OSError, urllib.error.URLError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.2)
    raise AssertionError(f"no server answered at {address}")


MATHJAX = """window.MathJax = {Hub: {Config() {}, Queue() {}, Startup: {signal: {Interest(hear) { hear("End") }}}}}"""
"""Stands for the script that the formgrader fetches from a network, which a test has none of."""


def shot(page: Page | Locator, name: str) -> None:
    """Keeps a picture in the folder that SHOTS names."""
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


class Notebook:
    """A notebook that is open in JupyterLab."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def cell(self, text: str) -> Locator:
        """The first code cell that holds the text."""
        return self.page.locator(".jp-CodeCell", has=self.page.locator(".cm-content", has_text=text)).first

    def fill(self, cell: Locator, code: str) -> None:
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(code)

    def run(self, cell: Locator) -> None:
        """Runs a cell and waits until it has its number. JupyterLab can lose a run that was asked for while the kernel
        came up, as a fast browser does: then it is asked for again."""
        prompt = cell.locator(".jp-InputPrompt")
        cell.locator(".cm-content").click()
        for _ in range(10):
            self.page.keyboard.press("Control+Enter")
            with contextlib.suppress(AssertionError):
                expect(prompt).not_to_have_text(NOT_RUN, timeout=3_000)
            expect(prompt).not_to_have_text("[*]:", timeout=SECONDS)
            if prompt.inner_text() != NOT_RUN:
                break
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"))


@pytest.fixture
def handed_out(tmp_path: Path, assignment: Assignment) -> Path:
    """What a student unpacks, with small data."""
    folder = tmp_path / "student"
    shutil.copytree(ROOT / "release" / NAME, folder)
    (folder / "data").mkdir()
    for name, array in sample_scenario(assignment, 1, training="real").data().items():
        np.save(folder / "data" / name, array)
    return folder


def test_a_check_cell_shows_its_picture_in_jupyterlab(browser: Browser, handed_out: Path, tmp_path: Path) -> None:
    with jupyter(handed_out, tmp_path) as (address, token):
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.goto(f"{address}/lab/tree/{NAME}.ipynb?token={token}")
        notebook = Notebook(page)
        expect(notebook.cell("TrainToAccuracy")).to_be_visible(timeout=SECONDS)
        expect(
            page.locator(".jp-NotebookPanel-toolbar .jp-Notebook-ExecutionIndicator[data-status=idle]")
        ).to_be_visible(timeout=SECONDS)
        page.locator(".jp-CodeCell .jp-Placeholder").first.click()  # the setup is collapsed
        for given in ("# @title Course files and helpers", "import tensorflow as tf", "THRESHOLD = 0.95"):
            notebook.run(notebook.cell(given))
        callback = notebook.cell("class TrainToAccuracy")
        notebook.fill(callback, TOO_EARLY)
        notebook.run(callback)
        check = notebook.cell('lab.check("callback")')
        notebook.run(check)
        picture = check.locator(".jp-OutputArea-output img")
        expect(picture).to_be_visible(timeout=SECONDS)
        assert picture.bounding_box()["width"] > 300  # type: ignore[index]
        picture.scroll_into_view_if_needed()
        shot(page, "jupyterlab-check")
        page.close()


@pytest.fixture
def graded(tmp_path: Path, assignment: Assignment) -> Path:
    """Two students of the sample class, graded; their notebooks show runs of their own."""
    build(tmp_path / "all")
    for student in (STUDENT, "hazel"):
        shutil.copytree(tmp_path / "all" / student, tmp_path / "submitted" / student)
    grader("autograde", "--submitted", str(tmp_path / "submitted"), "--out", str(tmp_path / "graded"), "--seed", "5")
    return tmp_path / "graded"


def grader(*arguments: str) -> None:
    command = [sys.executable, "-m", "autograder", *arguments]
    if arguments[0] == "autograde":
        command += ["--sandbox", "none"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_points_and_a_comment_from_the_formgrader_reach_the_pages(
    browser: Browser, graded: Path, tmp_path: Path, assignment: Assignment
) -> None:
    database = gradebook_url(graded)
    page_id = gradebook.members(database, assignment)[STUDENT]
    with jupyter(ROOT, tmp_path, OUT=str(graded), SUBMITTED=str(tmp_path / "submitted")) as (address, token):
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.route("**/mathjax/**", lambda route: route.fulfill(body=MATHJAX, content_type="text/javascript"))
        page.goto(f"{address}/login?token={token}")
        page.goto(f"{address}/formgrader/submissions/{page_id}/")
        score = page.locator("input#lr-comment")
        page.wait_for_function("formgrader.grades?.loaded && formgrader.comments?.loaded", timeout=SECONDS)
        beside = page.locator("section", has_text="Learning rates: written answer: notes for the grader")
        expect(beside.get_by_alt_text("The student's own figure")).to_be_visible(timeout=SECONDS)
        expect(beside.locator("tbody tr").nth(1)).to_contain_text("0.6667")
        with page.expect_response(lambda answer: answer.request.method == "PUT" and "/grade/" in answer.url):
            score.fill("4.5")
            score.press("Tab")
        with page.expect_response(lambda answer: answer.request.method == "PUT" and "/comment/" in answer.url):
            page.locator("textarea#lr-comment-comment").fill("Say why 0.1 takes longer.")
            score.click()
        beside.scroll_into_view_if_needed()
        shot(page, "formgrader-comment")
        page.close()
    assert gradebook.manual_scores(database, assignment)[STUDENT]["lr-comment"] == (4.5, "Say why 0.1 takes longer.")
    for command in ("feedback", "report"):
        grader(command, "--out", str(graded))
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.goto((graded / NAME / "students" / STUDENT / "feedback.html").as_uri())
    expect(page.locator("section", has=page.locator("#item-lr-comment"))).to_contain_text("Say why 0.1 takes longer.")
    expect(page.locator("section", has=page.locator("#item-lr-comment"))).to_contain_text("4.5")
    shot(page, "feedback-comment")
    page.goto((graded / NAME / "report.html").as_uri())
    row = page.locator("tr", has=page.get_by_role("link", name=STUDENT, exact=True)).last
    expect(row).to_contain_text("4.5")
    page.close()

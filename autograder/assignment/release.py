"""The student version, which nbgrader generates from the source, and its comparison with the source."""

from __future__ import annotations

import filecmp
import functools
import importlib.util
import logging
import py_compile
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.errors import ReleaseError

from .archive import write_archive
from .course import Course
from .settings import Assignment
from .source import dumps, read, refresh, solution_lines, source_path, validate_source

if TYPE_CHECKING:
    from traitlets.config import Config

__all__ = ["check", "refresh", "release", "validate_source"]


def release(assignment: Assignment) -> Path:
    """Write the numbers of `assignment.toml` into the source notebook and generate `release/<name>/` from it.

    If the data are in `data/`, they are packed with the release into `release/<name>.zip`, for students without the
    repository. Return the folder of the release; raise ReleaseError if it cannot be generated.
    """
    path = source_path(assignment)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    fresh = dumps(refresh(read(path), assignment))
    if fresh != before:
        path.write_text(fresh, encoding="utf-8")
    validate_source(path, assignment)
    target = assignment.release_folder
    with tempfile.TemporaryDirectory() as scratch:
        made = _generate(assignment, Path(scratch))
        _refuse_leaks(assignment, path.parent, made)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made, target)
    _pack(target, assignment)
    return target


def check(assignment: Assignment) -> None:
    """Raise ReleaseError if the committed release does not match the source or shows a solution."""
    path = source_path(assignment)
    target = assignment.release_folder
    validate_source(path, assignment)
    if not (target / assignment.notebook_name).exists():
        raise ReleaseError(f"There is no release of {assignment.name} yet; run `make release`.")
    _refuse_leaks(assignment, path.parent, target)
    with tempfile.TemporaryDirectory() as scratch:
        made = _generate(assignment, Path(scratch))
        names = {file.name for folder in (made, target) for file in folder.iterdir() if file.is_file()}
        names |= set(assignment.files)
        _, different, lost = filecmp.cmpfiles(made, target, sorted(names), shallow=False)
    if different or lost:
        files = ", ".join(sorted(different + lost))
        raise ReleaseError(f"release/{assignment.name} does not match the source ({files}); run `make release`.")


def helpers(assignment: Assignment) -> dict[str, bytes]:
    """Return the modules that the students were given with the notebook, by file name."""
    return {path.name: path.read_bytes() for path in sorted(assignment.release_folder.glob("*.py"))}


def find_given_files(assignment: Assignment) -> dict[str, Path]:
    """Return the files that the students were given with the notebook, by their path relative to it.

    These are modules, files that assignment.toml names, and those of the source folder. Other files in the release,
    such as results of running the notebook there, are ignored; a course without sources has none.
    """
    folder, source = assignment.release_folder, assignment.source_folder
    skipped = {"__pycache__", ".ipynb_checkpoints", assignment.notebook_name}
    names = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        name: path
        for name, path in names.items()
        if skipped.isdisjoint(path.relative_to(folder).parts)
        and (name.endswith(".py") or name in assignment.files or not source.is_dir() or (source / name).is_file())
    }


def given_files(assignment: Assignment) -> dict[str, bytes]:
    """Return the files beside the notebook when it is graded: those that the students were given, and the bytecode of
    modules among them, because compiling would take each kernel longer than importing."""
    found = {name: path.read_bytes() for name, path in find_given_files(assignment).items()}
    modules = {name: source for name, source in found.items() if name.endswith(".py")}
    made = {importlib.util.cache_from_source(name): _compiled(name, source) for name, source in modules.items()}
    return found | {name: code for name, code in made.items() if code}


@functools.lru_cache(maxsize=32)
def _compiled(name: str, source: bytes) -> bytes:
    """Return a module's bytecode, which is valid only with this source; empty if the source is not valid Python."""
    with tempfile.TemporaryDirectory() as folder:
        path, code = Path(folder, name), Path(folder, "code")
        path.write_bytes(source)
        try:
            py_compile.compile(
                str(path), str(code), name, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH
            )
        except py_compile.PyCompileError:
            return b""
        return code.read_bytes()


def _generate(assignment: Assignment, scratch: Path) -> Path:
    """Run nbgrader's generate_assignment in the empty folder `scratch`; return the folder that it created."""
    from nbgrader.apps.api import NbGraderAPI  # imported here, because it takes a second

    shutil.copytree(assignment.source_folder, scratch / "source" / assignment.name)
    config = course_configuration(assignment.course)
    config.CourseDirectory.root = config.Exchange.root = str(scratch)
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False  # together with the line above, as nbgrader's --no-db does
    config.NbGraderAPI.log_level = logging.ERROR
    result = NbGraderAPI(config=config).generate_assignment(assignment.name)
    if not result["success"]:
        raise ReleaseError(f"nbgrader cannot generate the release of {assignment.name}: {_reason(result)}")
    made = scratch / "release" / assignment.name
    for name, path in assignment.files.items():
        source = assignment.course.root / path
        if not source.is_file():
            raise ReleaseError(f"There is no {path} in the course: correct `files` in assignment.toml.")
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, made / name)
    return made


def _reason(result: dict[str, str]) -> str:
    """Return the message of the first exception that nbgrader logged; the one that it raises only refers to the log."""
    raised = re.search(r"^ +[\w.]+: (.+)$", result.get("log", ""), re.MULTILINE)
    return raised[1] if raised else result["error"].strip().splitlines()[-1]


def course_configuration(course: Course) -> Config:
    """Load `nbgrader_config.py`, so that the kit uses the same configuration as nbgrader's own commands."""
    from traitlets.config.loader import PyFileConfigLoader

    config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    return config


def _refuse_leaks(assignment: Assignment, source: Path, made: Path) -> None:
    """Raise ReleaseError if a line that the source has only between solution markers is in the release."""
    secret: set[str] = set()
    given: set[str] = set()
    for cell in read(source / assignment.notebook_name).cells:
        inside, outside, _ = solution_lines(cell)
        secret.update(inside)
        given.update(outside)
    for cell in read(made / assignment.notebook_name).cells:
        for line in cell.source.splitlines():
            if line.strip() in secret - given and any(letter.isalnum() for letter in line):
                raise ReleaseError(f"The release shows a line of the solution: {line.strip()!r}.")


def _pack(folder: Path, assignment: Assignment) -> None:
    """Zip the release with its data, reproducibly; a notebook that needs no other file is not zipped."""
    package = folder.with_suffix(".zip")
    package.unlink(missing_ok=True)
    files = {file.relative_to(folder.parent).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    data, names = assignment.course.data, assignment.exercise.data_files
    arrays = {f"{folder.name}/data/{name}": data / name for name in names}
    if (names or len(files) > 1) and all(file.exists() for file in arrays.values()):
        write_archive(package, {name: file.read_bytes() for name, file in (files | arrays).items()})

"""The student version: made from the source by nbgrader, and checked against it."""

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
    """Writes the numbers of `assignment.toml` into the source notebook and makes `release/<name>/` from it.

    With data in `data/` it also packs both for a student without the repository, as `release/<name>.zip`.
    Returns the folder of the release; raises ReleaseError.
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
    """Raises ReleaseError when the committed release is not what the source makes, or shows a solution."""
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
        raise ReleaseError(f"release/{assignment.name} is not what the source makes ({files}); run `make release`.")


def helpers(assignment: Assignment) -> dict[str, bytes]:
    """The modules that the students were given with the notebook, by file name."""
    return {path.name: path.read_bytes() for path in sorted(assignment.release_folder.glob("*.py"))}


def find_given_files(assignment: Assignment) -> dict[str, Path]:
    """Return the files that the students were given beside the notebook, by their path there.

    What else lies in the release, such as results of running the notebook there, is left out: modules, files that
    assignment.toml names and those of the source folder count. A course without sources has nothing else there.
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
    """What lies beside the notebook when it is graded: the files that the students were given, and what Python makes of
    modules among them, which would take each kernel longer than to import it."""
    found = {name: path.read_bytes() for name, path in find_given_files(assignment).items()}
    modules = {name: source for name, source in found.items() if name.endswith(".py")}
    made = {importlib.util.cache_from_source(name): _compiled(name, source) for name, source in modules.items()}
    return found | {name: code for name, code in made.items() if code}


@functools.lru_cache(maxsize=32)
def _compiled(name: str, source: bytes) -> bytes:
    """The bytecode of a module, which counts only beside this source; empty where it is no Python."""
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
    """Run nbgrader's generate_assignment in the empty folder `scratch`; return the folder that it made."""
    from nbgrader.apps.api import NbGraderAPI  # imported here: it takes a second that other commands need not wait

    shutil.copytree(assignment.source_folder, scratch / "source" / assignment.name)
    config = course_configuration(assignment.course)
    config.CourseDirectory.root = config.Exchange.root = str(scratch)
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False  # with the line above: what nbgrader's --no-db sets
    config.NbGraderAPI.log_level = logging.ERROR
    result = NbGraderAPI(config=config).generate_assignment(assignment.name)
    if not result["success"]:
        raise ReleaseError(f"nbgrader cannot make the release of {assignment.name}: {_reason(result)}")
    made = scratch / "release" / assignment.name
    for name, path in assignment.files.items():
        source = assignment.course.root / path
        if not source.is_file():
            raise ReleaseError(f"There is no {path} in the course: correct `files` in assignment.toml.")
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, made / name)
    return made


def _reason(result: dict[str, str]) -> str:
    """The first exception that nbgrader logged; the one that it raises only points there."""
    raised = re.search(r"^ +[\w.]+: (.+)$", result.get("log", ""), re.MULTILINE)
    return raised[1] if raised else result["error"].strip().splitlines()[-1]


def course_configuration(course: Course) -> Config:
    """What `nbgrader_config.py` says, so that nbgrader's own commands and buttons do the same as the kit's."""
    from traitlets.config.loader import PyFileConfigLoader

    config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    return config


def _refuse_leaks(assignment: Assignment, source: Path, made: Path) -> None:
    """Raises ReleaseError when a line that the source has only between solution markers is in the release."""
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
    """Zips the release with its files and data, byte for byte the same for the same contents; without any, no zip."""
    package = folder.with_suffix(".zip")
    package.unlink(missing_ok=True)
    files = {file.relative_to(folder.parent).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    data, names = assignment.course.data, assignment.exercise.data_files
    arrays = {f"{folder.name}/data/{name}": data / name for name in names}
    if (names or assignment.files) and all(file.exists() for file in arrays.values()):
        write_archive(package, {name: file.read_bytes() for name, file in (files | arrays).items()})

"""The environments of `environments.toml`, and how uv builds them."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.places import ROOT

FILE = Path(__file__).with_name("environments.toml")
PLACE = ROOT / ".venv-versions"
UV = (sys.executable, "-m", "uv")
STAMP = ".built"
"""A file in an environment that is complete: the hash of what it was built from."""

FIRST_IMPORT = "import tensorflow, seaborn, zeus.monitor, nbclient, nbgrader.api, ipykernel.kernelapp"


class BuildError(Exception):
    """An environment could not be built; the message is what the tool said last."""


@dataclass(frozen=True)
class Environment:
    """Packages to try the kit with.

    Args:
        name: also that of its folder.
        purpose: what it stands for, for the table.
        python: the minor version of its interpreter; empty for the one that runs this.
        lock: take the versions of requirements.lock.
        pins: requirements beside those of requirements.in.
        instead: requirements that take the place of others, by name.
    """

    name: str
    purpose: str
    python: str = ""
    lock: bool = False
    pins: list[str] = field(default_factory=list)
    instead: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return PLACE / self.name

    @property
    def interpreter(self) -> Path:
        return self.folder / "bin" / "python"


def load_environments() -> list[Environment]:
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return [Environment(name, **table) for name, table in tables.items()]


def find_python(version: str) -> Path | None:
    """An interpreter of that minor version with its venv module, on the path or of pyenv; None if there is none."""
    if not version or version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    on_path = (Path(folder, f"python{version}") for folder in os.get_exec_path())
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    of_pyenv = sorted(pyenv.glob(f"{version}.*/bin/python"))
    # pyenv puts commands on the path that refuse to run a version which is not selected.
    return next((path for path in (*on_path, *of_pyenv) if path.is_file() and _runs(path)), None)


def _runs(python: Path) -> bool:
    return subprocess.run([python, "-c", "import venv"], capture_output=True, check=False).returncode == 0


def list_requirements(environment: Environment) -> list[str]:
    """The lines of requirements.in, with those exchanged that the environment has others for, and its pins."""
    lines = []
    for line in (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text:
            lines.append(environment.instead.get(Requirement(text).name, text))
    return [*lines, *environment.pins]


def build(environment: Environment, python: Path) -> None:
    """Make the environment, unless it is there already; BuildError where that fails."""
    lines = list_requirements(environment)
    lock = ROOT / "requirements.lock"
    basis = sha256("\n".join([str(python), *lines, lock.read_text() if environment.lock else ""]).encode()).hexdigest()
    stamp = environment.folder / STAMP
    if stamp.is_file() and stamp.read_text() == basis:
        return
    PLACE.mkdir(exist_ok=True)
    _run([*UV, "venv", "--quiet", "--clear", "--no-python-downloads", "--python", python, environment.folder])
    requirements = environment.folder / "requirements.txt"
    requirements.write_text("".join(f"{line}\n" for line in lines))
    constraints = ["--constraint", lock] if environment.lock else []
    install = [*UV, "pip", "install", "--quiet", "--python", environment.interpreter, *constraints]
    _run([*install, "--requirement", requirements])
    # It compiles the packages, which a sandboxed kernel may not do.
    _run([environment.interpreter, "-c", FIRST_IMPORT])
    stamp.write_text(basis)


def _run(command: list[str | Path] | tuple[str | Path, ...]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=variables(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError((done.stderr or done.stdout).strip()[-1500:])


def variables() -> dict[str, str]:
    """The environment variables of all that is run: those of this process, but Python writes what it compiles."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if name not in dropped} | {"TF_CPP_MIN_LOG_LEVEL": "3"}


def find_versions(environment: Environment) -> dict[str, str]:
    """The versions of Python and of what the lab uses, by name."""
    names = ("tensorflow-cpu", "tensorflow", "keras", "numpy", "pandas", "matplotlib", "zeus", "zeus-ml")
    code = (
        "import sys\nfrom importlib.metadata import distributions\nprint('python', '%d.%d.%d' % sys.version_info[:3])\n"
        "for each in distributions(): print(each.name, each.version)"
    )
    done = subprocess.run([environment.interpreter, "-c", code], capture_output=True, text=True, check=True)
    lines = (line.split() for line in done.stdout.splitlines())
    installed = {canonicalize_name(name): version for name, version in lines}
    return {name: installed[name] for name in ("python", *names) if name in installed}

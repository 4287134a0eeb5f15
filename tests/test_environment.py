"""The lists of packages agree: what is asked for, what is pinned, and what conda users get."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.places import ROOT

PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = {
    "Linux on x86-64": {"sys_platform": "linux", "platform_machine": "x86_64"},
    "Linux on ARM": {"sys_platform": "linux", "platform_machine": "aarch64"},
    "macOS": {"sys_platform": "darwin", "platform_machine": "arm64"},
    "Windows": {"sys_platform": "win32", "platform_machine": "AMD64", "os_name": "nt"},
}


def requirements(lines: list[str]) -> Iterator[Requirement]:
    """The requirements of a pip file's lines, without comments, hashes and options."""
    for line in lines:
        text = re.split(r"(?:^|\s)#|\s--hash|\s\\\s*$", line)[0].strip()
        if text and not text.startswith("-"):
            yield Requirement(text)


def asked_for() -> list[Requirement]:
    return list(requirements((ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()))


def pinned(lock: str, environment: dict[str, str]) -> dict[str, str]:
    """Version by package name, as far as the lock's markers hold in the environment."""
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    entries = requirements([line for line in lines if not line.startswith(" ")])
    versions: dict[str, str] = {}
    for entry in entries:
        if entry.marker is None or entry.marker.evaluate(environment):
            name = canonicalize_name(entry.name)
            assert name not in versions, f"{name} is pinned twice"
            versions[name] = str(entry.specifier).removeprefix("==")
    return versions


def environment(python: str, platform: str) -> dict[str, str]:
    return {"python_version": python, "python_full_version": f"{python}.9", **PLATFORMS[platform]}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_lock_holds_every_requirement_within_its_bounds(python: str, platform: str) -> None:
    where = environment(python, platform)
    versions = pinned("requirements.lock", where)
    wanted = [entry for entry in asked_for() if entry.marker is None or entry.marker.evaluate(where)]
    assert [entry.name for entry in wanted if entry.name.startswith("tensorflow")], "no TensorFlow is asked for"
    for entry in wanted:
        assert entry.specifier.contains(versions[canonicalize_name(entry.name)]), f"{entry} is pinned out of its bounds"


@pytest.mark.parametrize("python", PYTHONS)
def test_gpu_lock_differs_by_the_build_of_tensorflow_alone(python: str) -> None:
    where = environment(python, "Linux on x86-64")
    cpu, gpu = pinned("requirements.lock", where), pinned("requirements-gpu.lock", where)
    assert cpu.pop("tensorflow-cpu") == gpu.pop("tensorflow")
    assert {name: version for name, version in gpu.items() if name in cpu} == cpu
    assert "nvidia-cudnn-cu12" in gpu
    assert all(name.startswith("nvidia-") for name in gpu.keys() - cpu.keys())


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-gpu.lock"])
def test_what_only_slows_down_every_start_is_not_installed(lock: str) -> None:
    assert "rfc3987-syntax" not in pinned(lock, environment("3.12", "Linux on x86-64"))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-gpu.lock"])
def test_lock_is_fit_for_any_machine(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links|/tmp/|/home/|/root/", text)
    entries = re.split(r"\n(?=[a-z0-9])", text.partition("\n\n")[2] or text)
    assert all("--hash=sha256:" in entry for entry in entries if "==" in entry.splitlines()[0])


def test_conda_asks_for_the_same_packages() -> None:
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip_section,) = [entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict)]
    assert {str(entry) for entry in requirements(pip_section)} == {str(entry) for entry in asked_for()}
    assert len(pip_section) == len(asked_for())
    assert conda["name"] == "tta-eta"
    assert f"python={PYTHONS[0]}" in conda["dependencies"]


def test_every_package_is_asked_for_once() -> None:
    names = [(canonicalize_name(entry.name), str(entry.marker)) for entry in asked_for()]
    assert len(set(names)) == len(names)


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("make") or "make", *arguments]
    return subprocess.run(command, cwd=folder, env=variables or None, capture_output=True, text=True, check=False)


def test_help_lists_every_command() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)[1].split()) - {"have-data"}  # type: ignore[index]
    listed = re.findall(r"^  ([\w-]+) +\S", make(ROOT).stdout, flags=re.MULTILINE)
    assert set(listed) == phony
    assert len(listed) == len(phony)


def test_help_is_grouped_by_person_and_fits_a_terminal() -> None:
    lines = make(ROOT).stdout.splitlines()
    sections = [line for line in lines if line.isalpha()]
    assert sections == ["Everyone", "Students", "Graders", "Instructors", "Developers"]
    assert [line for line in lines if len(line) > 80] == []


def test_one_sentence_when_there_is_no_python(tmp_path: Path) -> None:
    checkout, commands = tmp_path / "a checkout", tmp_path / "bin"
    checkout.mkdir()
    commands.mkdir()
    for name in ("sh", "grep", "env", "touch"):
        (commands / name).symlink_to(shutil.which(name) or name)
    shutil.copy(ROOT / "Makefile", checkout)
    (checkout / "requirements.lock").touch()
    done = make(checkout, "setup", PATH=str(commands))
    assert done.returncode != 0
    assert "No Python 3.11, 3.12 or 3.13 with its venv module was found" in done.stderr
    assert len(done.stderr.splitlines()) <= 2, "the sentence and make's own line"
    assert not (checkout / ".venv").exists()


def test_documents_name_commands_and_files_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "data/README.md")]
    for page in (*top, *sorted((ROOT / "docs").glob("*.md"))):
        text = page.read_text(encoding="utf-8")
        named = {
            word
            for words in re.findall(r"(?:^|`)make ((?:[a-z-]+ )*[a-z-]+)\b(?!=)", text, re.M)
            for word in words.split()
        }
        assert named <= targets, f"{page.name} names {sorted(named - targets)}"
        links = [link.split("#")[0] for link in re.findall(r"\]\(([^):]+)\)", text)]
        assert [link for link in links if not (page.parent / link).exists()] == []

"""The measurements, part by part, as JSON: docs/performance.json."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks import ROOT

FILE = ROOT / "docs" / "performance.json"
PACKAGES = ("tensorflow-cpu", "keras", "nbgrader", "nbclient", "ipykernel", "distributed")


def load(path: Path = FILE) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def keep(part: str, figures: dict[str, Any], before: tuple[float, ...], path: Path = FILE) -> None:
    """Replace the older figures of a part; `before` is the load average before the measurement."""
    found = load(path)
    found[part] = figures | {"measured": _surroundings(before)}
    path.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n", encoding="utf-8")


def _surroundings(before: tuple[float, ...]) -> dict[str, Any]:
    """Describe where and when the measurement was made: machine, versions, commit, load over the last minute."""
    return {
        "date": date.today().isoformat(),
        "commit": _commit(),
        "load": round(before[0], 2),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except ImportError:
        return "none"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"

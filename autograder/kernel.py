"""Kernels for the runs: a plain one of its own for each run, with the bench inside."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

BENCH = Path(__file__).resolve().parent / "bench"
SPEC = "bench"
PASSED_ON = ("PATH", "LANG", "LC_ALL", "HOME", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables of the grader's environment that a kernel gets to see."""


def lay_runtime(folder: Path) -> Path:
    """Copies the bench alone to where kernels find it; the rest of the autograder stays out of their path."""
    runtime = folder / "runtime"
    shutil.copytree(BENCH, runtime / "bench", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    spec = {
        "argv": [sys.executable, "-m", "bench", "-f", "{connection_file}"],
        "display_name": "Bench",
        "language": "python",
        "interrupt_mode": "signal",
    }
    (runtime / "kernels" / SPEC).mkdir(parents=True, exist_ok=True)
    (runtime / "kernels" / SPEC / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return runtime


def plain_manager(runtime: Path, sockets: Path) -> AsyncKernelManager:
    """A manager of one kernel that talks over sockets in the given folder, not over ports."""
    specs = KernelSpecManager(kernel_dirs=[str(runtime / "kernels")], ensure_native_kernel=False)
    manager = AsyncKernelManager(kernel_name=SPEC, kernel_spec_manager=specs)
    manager.transport = "ipc"
    manager.ip = str(sockets / "k")
    manager.connection_file = str(sockets / "kernel.json")
    return manager


def environment(runtime: Path, folder: Path) -> dict[str, str]:
    """What a kernel sees of the environment: nothing of the grader's own but what Python needs."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1"}
    few_threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    own = {"PYTHONPATH": str(runtime), "BENCH_FOLDER": str(folder), "IPYTHONDIR": str(folder / ".ipython")}
    return kept | quiet | few_threads | own | {"MPLCONFIGDIR": str(runtime / "matplotlib"), "PYTHONDONTWRITEBYTECODE": "1"}

"""Measurements of what grading costs: `make bench`.

`classes` generates submissions, `rivals` grades them with nbgrader and Otter, `limit` runs their cells without a
kernel, `scale` measures whole classes, memory and a cluster (from `dask_processes`), `lab` measures an epoch of the
lab, `record` stores the figures and `page` shows them in docs/performance.md.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

"""What grading costs, measured: `make bench`.

`classes` makes up submissions, `rivals` grades them with nbgrader and Otter, `limit` runs their cells without any
kernel, `scale` measures whole classes, memory and a cluster (of `dask_processes`), `lab` an epoch of the lab itself,
`record` keeps what came out and `page` shows it in docs/performance.md.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

"""Grades assignments by evidence.

The way of one submission, module by module: `handin` and `reading` find and read what was handed in, `submission`
repairs it, `challenge` draws what it will be asked, `kernel` forks a kernel inside the `sandbox`, `runner` takes it
through the notebook with the `bench` inside, `evidence` is what comes out, `judge` lets pytest decide over it with the
modules in `checks`, `grading` does that as often as fairness asks, `verdict` is the result, `books` keeps it.
`autograde` does this for a class: `workers` grade, as processes of a `pool` or on a `cluster`, `progress` shows how far
they are, and `classbooks` writes what concerns all: `gradebook`, `feedback`, `report`, in `shares`. An `assignment` is
its settings; what else the harness has to know of it is its `exercise`, which lies with its checks.
"""

import sys

# jsonschema builds a grammar of web addresses from this when nbformat imports it, which takes longer than all else that
# nbformat needs; where it is not there, jsonschema does without. No notebook is checked with it.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

"""Grades assignments by evidence.

The way of one submission, package by package: `assignment` holds what is asked (`settings`, `exercise`, and the
`scenario` that is drawn); `submission` finds, reads and repairs what was handed in; `execution` forks a kernel inside
the `sandbox` and takes it through the notebook with the `runtime` inside, whose questions the `oracle` answers, and
`evidence` is what comes out; in `grading`, `checker` lets pytest decide over it with the modules in `checks`, `grade`
does that as often as fairness asks, and `verdict` is the result; `results` keeps it. `scheduling` does this for a
class, on this machine or on a cluster; `reporting` writes what people read, `integrations` connects other systems,
and `commands` are those beside grading.
"""

"""Pages with something of everything on them, and with a hostile hand, for the tests that read or open them."""

from __future__ import annotations

import base64
import copy
import io
from typing import Any

import matplotlib.pyplot as plt
import nbformat
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.grading.verdict import CurveChart, Finding, ItemVerdict, PropertyVerdict, Verdict
from autograder.reporting import class_report as report
from autograder.reporting import feedback
from autograder.reporting.answers import Remark
from autograder.reporting.class_data import ClassData
from autograder.reporting.similarity import Group
from autograder.results.points import LATE
from autograder.submission.saved_outputs import SavedOutputs, SavedSeries

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}'
ENDED = (
    "With threshold 0.95 and patience 3,{} your callback stopped training after epoch 3; training should have "
    "continued: why."
)
CURVE = ENDED.format(" on the val_accuracy values 0.96, 0.97, 0.94 (training stopped here), 0.96,")
CHART = CurveChart(
    threshold=0.95,
    patience=3,
    val_accuracy=(0.96, 0.97, 0.94, 0.96),
    stopped=3,
    due=None,
    caption=ENDED.format(""),
)
RICH = """# Findings

The **fastest** is *0.01*, see [numbers](javascript:alert(1)) and [Keras](https://keras.io/api/).

| rate | a column with a long heading | another column with a long heading | and a third one, for a phone |
|-----:|:----:|-----|-----|
| 0.001 | 12.5 | 300 | x |

### Energy

$$E = \\sum_{i=1}^{n} P_i \\, \\Delta t$$

Inline $\\alpha \\le 10^{-3}$, but not $\\href{javascript:alert(1)}{x}$.

```python
for x in range(3):

    print(x < 2)
```

![loss](attachment:image.png) ![tracker](https://evil.example/pixel.png) <img src=x onerror=alert(1)>
"""
NO_MODEL = "No model was trained: the cell stopped with ValueError."


def rule(name: str, message: str = "", status: str = "", chart: CurveChart | None = None) -> PropertyVerdict:
    status = status or ("failed" if message else "passed")
    points = 1.0 if status == "passed" else 0.0
    return PropertyVerdict(
        id=name, rubric=f"Rule {name}.", max_points=1.0, points=points, status=status, message=message, chart=chart
    )


def verdict_on(
    assignment: Assignment, student: str, rules: dict[str, list[PropertyVerdict]] | None = None, **changes: Any
) -> Verdict:
    """Every item full, but for those with rules: half the points, or none yet where a rule is open."""
    items = []
    for item in assignment.judged_items:
        known = (rules or {}).get(item.id, [rule("a"), rule("b")])
        points: float | None = item.points if all(r.status == "passed" for r in known) else item.points / 2
        points = None if any(r.status == "ungraded" for r in known) else points
        items.append(
            ItemVerdict(
                id=item.id,
                title=item.title,
                max_points=item.points,
                points=points,
                status="ungraded" if points is None else "graded",
                message=" ".join(r.message for r in known),
                properties=tuple(known),
            )
        )
    waits = any(item.points is None for item in items)
    state: dict[str, Any] = {"state": "needs review", "reason": "Not graded yet."} if waits else {"state": "graded"}
    return Verdict(assignment=assignment.name, student=student, items=tuple(items), **(state | changes))


def figure(kind: str) -> str:
    """A bar plot as an output holds it."""
    drawn, axes = plt.subplots(figsize=(4, 1.5))
    axes.bar(["0.001", "0.01"], [3, 9])
    file = io.BytesIO()
    drawn.savefig(file, format=kind)
    plt.close(drawn)
    return file.getvalue().decode() if kind == "svg" else base64.b64encode(file.getvalue()).decode() + "\n"


def executed_notebook(release: NotebookNode) -> NotebookNode:
    """A notebook that ran, with figures in three forms and with outputs of every other kind."""
    notebook = copy.deepcopy(release)
    cells = {feedback.grade_id(cell): cell for cell in notebook.cells}
    new = nbformat.v4.new_output
    cells["lr-plots"].outputs = [new("display_data", {"image/png": figure("png"), "text/plain": "<Figure>"})]
    cells["bs-plots"].outputs = [
        new("display_data", {"image/svg+xml": figure("svg"), "text/plain": "<Drawing>"}),
        new("display_data", {"image/jpeg": figure("jpeg"), "text/plain": "<Photo>"}),
        new("display_data", {"image/png": figure("png"), "text/plain": "<Figure>"}),
        new("display_data", {"image/png": "é", "text/plain": "nothing encoded"}),
        new("display_data", {"image/png": f'"{HOSTILE}', "text/plain": "no picture"}),
        new("display_data", {"image/png": base64.b64encode(b"<script>").decode(), "text/plain": "no picture either"}),
    ]
    cells["lr-loop"].source = f"# {HOSTILE}"
    cells["lr-loop"].outputs = [
        new(
            "display_data", {"text/html": HOSTILE, "application/javascript": "alert(1)", "text/plain": "a <b>table</b>"}
        ),
        new("stream", text="\x1b[31mred\x1b[0m\x1b]0;title\x07 1/3 \x08\x08\x08\r2/3\r3/3 done\r\nnext\n"),
        new("stream", text="x" * 10_000),
        new(
            "error", ename="E", evalue="v", traceback=["File /srv/a/python3/site-packages/keras/x.py:1", "/srv/k/y.py"]
        ),
        *(new("display_data", {"text/plain": f"shown {number}"}) for number in range(100)),
    ]
    cells["bs-comment"].source = RICH
    cells["bs-comment"].attachments = {"image.png": {"image/png": figure("png")}}
    cells["lr-comment"].source = f"An answer.\n\nIn two parts {HOSTILE}"
    notebook.cells.append(nbformat.v4.new_code_cell("mine = 1", metadata={"nbgrader": "broken"}))
    return notebook


def student_page(assignment: Assignment, executed: NotebookNode) -> str:
    """The page of a student with mistakes of every kind and a hostile hand."""
    rules = {
        "callback": [rule("a"), rule("curve", CURVE, chart=CHART), rule("other", "What was seen.")],
        "lr-loop": [rule(str(number), NO_MODEL) for number in range(4)],
        "bs-loop": [rule("open", "Could not be observed.", "ungraded"), rule("b")],
        "lr-metrics": [rule("path", f"No file /srv/grader/run/x.npy {HOSTILE}")],
        "lr-plots": [rule("forged", CURVE.replace("0.96", HOSTILE)), rule("b")],
    }
    findings = (
        Finding(kind="k", text=f"For you {HOSTILE}", cell="lr-loop", audience="both"),
        Finding(kind="k", text="For the grader alone."),
    )
    verdict = verdict_on(assignment, HOSTILE, rules, findings=findings)
    given = {"lr-comment": (4.5, f"Good.\nSay why. {HOSTILE}"), LATE: (-10.0, None)}
    return feedback.feedback_page(assignment, verdict, executed, given)


def class_page(assignment: Assignment) -> str:
    broken = {"lr-loop": [rule(str(number), NO_MODEL) for number in range(3)]}
    other = {"lr-metrics": [rule("mean", "A mean."), rule("b")], "bs-metrics": [rule("mean", "A mean."), rule("b")]}
    waiting = {"bs-plots": [rule("open", "Could not be observed.", "ungraded")]}
    verdicts = [
        verdict_on(assignment, "ada", findings=(Finding(kind="k", text=f"Renamed {HOSTILE}", cell="data"),)),
        verdict_on(assignment, "b/ob #1", other),
        verdict_on(assignment, HOSTILE, waiting, findings=(Finding(kind="k", text="A cell was renamed."),)),
        verdict_on(assignment, "eve", other | broken),
        verdict_on(assignment, "zed", state="failed to run", reason=f"No notebook in /srv/x/zed {HOSTILE}"),
    ]
    return report.report_page(assignment, verdicts, {"ada": {"lr-comment": (6.0, None)}}, class_data())


def own_run(seconds: float) -> SavedOutputs:
    """Five settings of the learning rate, the last of which took long and reached nothing; no energy."""
    rates = (0.0001, 0.001, 0.01, 0.1, 1.0)
    rows = [
        {
            "learning_rate": rate,
            "batch_size": 128,
            "epochs": epochs,
            "test_accuracy": 0.9,
            "train_time": seconds * epochs,
        }
        for rate, epochs in zip(rates, (10, 3, 3, 9, 500), strict=True)
    ]
    picture = f"data:image/png;base64,{figure('png').strip()}"
    return SavedOutputs(loops={"lr": SavedSeries(rows=tuple(rows), pictures=(picture,))})


def class_data() -> ClassData:
    """Three runs, a pair with the same code and answer, and a student of whom there is nothing."""
    return ClassData(
        own={"ada": own_run(0.5), "eve": own_run(0.7), HOSTILE: own_run(1.5), "zed": SavedOutputs()},
        remarks={
            "ada": {"bs-comment": Remark("identical", (HOSTILE,))},
            HOSTILE: {"bs-comment": Remark("identical", ("ada",))},
            "eve": {"lr-comment": Remark("empty")},
        },
        alike=(Group(("ada", HOSTILE), 0.934),),
        members={"ada": "11aa", "b/ob #1": "22bb", HOSTILE: "33cc", "eve": "", "zed": "", f"yan {HOSTILE}": ""},
    )

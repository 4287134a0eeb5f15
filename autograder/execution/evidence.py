"""Evidence: the record of one run of a notebook, as data with a declared schema.

Reports and requests are what a kernel may send (`runtime.channel`); events are what the oracle records of them, with
the cell and the order of arrival. Nothing in them is executed or unpickled, and all sizes are limited.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

KERNEL_DIED = "KernelDied"
"""The error of a cell that started but never finished."""

MAX_EPOCHS = 1_000_000
"""Maximum number of epochs of a run: each costs a message, and `oracle.MAX_TOTAL` limits the size of all messages."""


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


Number = Annotated[float, BeforeValidator(lambda value: float(value) if isinstance(value, str) else value)]


class Value(Part):
    """A value of the notebook: the name of its type and, where it has them, its number, text, items or entries."""

    type: str
    number: Number | None = None
    text: str | None = None
    items: tuple[Value, ...] | None = None
    entries: dict[str, Value] | None = None
    length: int | None = None
    identity: int | None = None


Short = Annotated[str, Field(max_length=300)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Event(Part):
    """An event of the run: its cell, numbered in the order of execution, and its place in the sequence of events."""

    cell: int
    sequence: int


class CellEnd(Event):
    """The end of a cell; `cpu` is its processor time in seconds, `fault` an error of the runtime itself."""

    kind: Literal["end"] = "end"
    cpu: Finite
    fault: Short | None = None


class NameSeen(Event):
    """The value that a required name has after the cell."""

    kind: Literal["name"] = "name"
    name: Short
    value: Value


class RowOrigin(Part):
    """Where rows of data come from: how many are from the training set, from the test set and from neither."""

    rows: int
    distinct: int
    train: int
    test: int
    other: int
    labels_fit: bool | None


class CallbackUse(Part):
    """A callback passed to `fit`; if `watched`, an instance of the lab's class, with its arguments."""

    type: str
    watched: bool
    instance: int
    threshold: Number | None
    patience: Number | None


Config = Annotated[dict[Short, Short | int | float | bool | None], Field(max_length=80)]
"""The plain settings of a layer or an optimizer; `class` is its class."""


class Training(Part):
    """A training run as the notebook reports it: the arguments of `Model.fit` and a description of the model.

    `parameters` is the number of trainable parameters; `layers` and `optimizer_config` are Keras's configurations.
    """

    model: int
    trained_before: bool
    parameters: int
    layers: Annotated[tuple[Config, ...], Field(max_length=50)] = ()
    optimizer: Short
    optimizer_config: Config = {}
    learning_rate: float | None
    loss: Short
    batch_size: Annotated[int, Field(ge=1)]
    epochs: int
    initial_epoch: int
    validation_split: Finite
    data: RowOrigin
    validation: RowOrigin | None
    callbacks: Annotated[tuple[CallbackUse, ...], Field(max_length=100)]


class Fit(Event, Training):
    """One call of `Model.fit`: times in virtual seconds and energies in virtual joules since the run began.

    The values sent by the oracle are the truth: how many epochs ran (`epochs_run`), their accuracies, seconds and
    joules, and the accuracy of the model on the test data (`test_accuracy`, None if the model's weights could not be
    made to match it, or were changed afterwards). The rest is what the kernel reports: `test_predictions` are the
    classes that the model predicts, if its accuracy is unknown, and `fresh_stop` is the number of the same epochs after
    which a new instance of the callback stops, 0 if it does not. Real training happens in the kernel, so all of it is
    reported by the kernel.
    """

    kind: Literal["fit"] = "fit"
    plan: int | None
    accuracy: tuple[Number, ...] = ()
    val_accuracy: tuple[Number, ...]
    epochs_run: Annotated[int, Field(ge=0, le=MAX_EPOCHS)]
    begin: float
    end: float
    begin_energy: float
    end_energy: float
    test_accuracy: float | None = None
    test_predictions: tuple[int, ...] | None
    fresh_stop: int | None = None
    error: str | None = None

    @property
    def seconds(self) -> float:
        return self.end - self.begin

    @property
    def joules(self) -> float:
        return self.end_energy - self.begin_energy


class Use(Event):
    """`evaluate`, `predict` or a call of a model, at a time in virtual seconds."""

    kind: Literal["use"] = "use"
    what: Literal["evaluate", "predict"]
    model: int
    data: RowOrigin
    at: float


class Window(Event):
    """A measurement window of the energy monitor, in virtual seconds."""

    kind: Literal["window"] = "window"
    begin: float
    end: float


class TrialResult(Part):
    """The epoch, counted from 0, at which an instance of the callback stopped, None if it did not; or its error."""

    stop: int | None
    error: str | None


class CallbackDriven(Event):
    kind: Literal["callback"] = "callback"
    results: tuple[TrialResult, ...]


class Act(Event):
    """Something the notebook did that a grader should know about; see `runtime.instruments.audit`."""

    kind: Literal["act"] = "act"
    what: Short
    detail: Short


class Tick(Part):
    at: float
    text: str


class Bar(Part):
    """A bar's rectangle in data coordinates; `group` numbers the call that drew it."""

    group: int
    upright: bool
    x: Number
    y: Number
    width: Number
    height: Number
    label: str


class Curve(Part):
    """A line or a scatter plot in data coordinates; `name` is its name in the legend, "" if it has none."""

    x: tuple[Number, ...]
    y: tuple[Number, ...]
    name: str


class Axes(Part):
    title: str
    xlabel: str
    ylabel: str
    shared_x: tuple[int, ...]
    shared_y: tuple[int, ...]
    xlim: tuple[Number, Number]
    ylim: tuple[Number, Number]
    yscale: str
    bars: tuple[Bar, ...]
    lines: int
    curves: tuple[Curve, ...] = ()
    legend: tuple[str, ...]
    texts: tuple[str, ...] = ()
    ticks: tuple[Tick, ...]
    yticks: tuple[Tick, ...]


class FigureSeen(Part):
    """A figure that is not empty; `at_risk` if it contains something that may fail when it is drawn."""

    number: int
    at_risk: bool = False
    title: str
    xlabel: str
    ylabel: str
    legend: tuple[str, ...] = ()
    axes: tuple[Axes, ...]


class Figures(Event):
    """All figures that exist after the cell."""

    kind: Literal["figures"] = "figures"
    name: str = ""
    value: tuple[FigureSeen, ...]


class Answer(Event):
    """A question that a check asked, and what the kernel answered."""

    kind: Literal["answer"] = "answer"
    question: dict[str, Any]
    answer: dict[str, Any]


AnyEvent = Annotated[
    CellEnd | NameSeen | Fit | Use | Window | CallbackDriven | Figures | Act | Answer, Field(discriminator="kind")
]


class EndRequest(Part):
    """A cell has ended. This is a request, so that all its reports have been read when the reply arrives."""

    kind: Literal["end"]
    cpu: Finite
    fault: Short | None = None


class NameReport(Part):
    kind: Literal["name"]
    name: Short
    value: Value

    def event(self, **stamp: Any) -> NameSeen:
        return NameSeen(**stamp, name=self.name, value=self.value)


class FiguresReport(Part):
    kind: Literal["figures"]
    name: Short = ""
    value: Annotated[tuple[FigureSeen, ...], Field(max_length=60)]

    def event(self, **stamp: Any) -> Figures:
        return Figures(**stamp, value=self.value)


class ActReport(Part):
    """An act; `by_cell` if only code of the cell being executed was involved, and none of an earlier cell."""

    kind: Literal["act"]
    what: Short
    detail: Short
    by_cell: bool = False

    def event(self, **stamp: Any) -> Act:
        return Act(**stamp, what=self.what, detail=self.detail)


class UseReport(Part):
    kind: Literal["use"]
    what: Literal["evaluate", "predict"]
    model: int
    data: RowOrigin


class WindowReport(Part):
    kind: Literal["window"]
    key: Short
    begins: bool
    cancelled: bool = False


class AnswerReport(Part):
    kind: Literal["answer"]
    answer: dict[str, Any]


class SpendRequest(Part):
    """A request for the time and energy that something costs; `seconds` is the duration of a sleep."""

    kind: Literal["spend"]
    what: Short
    seconds: Finite = 0.0


class TrainClaim(Training):
    """A training run begins."""

    kind: Literal["train"]


class OutcomeRequest(Part):
    """The last epoch of a training run has ended: what has the model learned?"""

    kind: Literal["outcome"]
    training: int


class TrainEnd(Part):
    """`fit` has ended; `curve` is the accuracy and validation accuracy of each epoch if training was real."""

    kind: Literal["train_end"]
    training: int
    error: Annotated[str, Field(max_length=500)] | None
    stopped: bool
    applied: bool
    predictions: Annotated[tuple[int, ...], Field(max_length=5_000)] | None
    fresh_stop: int | None
    curve: Annotated[tuple[tuple[float, float], ...], Field(max_length=2_000)] = ()


class TrialRequest(Part):
    """A request for the next trial of a callback class, with the error that ended the last one."""

    kind: Literal["trial"]
    error: Annotated[str, Field(max_length=500)] | None = None


class NextRequest(Part):
    """The kernel is ready for a question."""

    kind: Literal["next"]


REPORT: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        NameReport | FiguresReport | ActReport | UseReport | WindowReport | AnswerReport,
        Field(discriminator="kind"),
    ]
)
REQUEST: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        EndRequest | SpendRequest | TrainClaim | OutcomeRequest | TrainEnd | TrialRequest | NextRequest,
        Field(discriminator="kind"),
    ]
)


class RunCell(Part):
    """A cell of the run; `role` is the grade_id of a task or of a test cell, `given`, `extra` or `stand-in`, and
    `index` its place in the notebook."""

    role: str
    index: int | None
    status: Literal["ran", "error", "timeout", "not run"]
    error: str | None = None
    message: str = ""
    line: str = ""
    """The line of the student's code at which the cell stopped, with its number in the cell."""

    incomplete: str = ""
    """The function of another cell that raised NotImplementedError when this cell called it."""

    defined_in: int | None = None
    """The place of the later cell that defines the name which is undefined in this one."""

    fault: str = ""
    """An error in the autograder itself that stopped the cell."""

    tests: str = ""
    """For a test cell, the hash of the code that was run (see `hash_tests`); `line` is then the line of the test."""

    result: str = ""
    """The value of a test cell's last expression, as text."""

    @property
    def is_stub(self) -> bool:
        """Whether the cell stopped because it is not complete."""
        return self.error == "NotImplementedError" and not self.incomplete


def hash_tests(source: str) -> str:
    """Hash the code of a test cell, to tell whether it was edited after it ran."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


class Evidence(Part):
    """The complete record of one run. Cells are numbered as in `cells`."""

    cells: tuple[RunCell, ...]
    events: tuple[AnyEvent, ...]
    training: Literal["scripted", "real"]
    gpus: int
    stand_ins: tuple[str, ...] = ()
    lost: str = ""

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def value(self, name: str, cells: set[int] | None = None) -> Value | None:
        """Return the last value recorded for the name, from the given cells if they have one."""
        seen = [event for event in self.of(NameSeen) if event.name == name]
        inside = [event for event in seen if cells and event.cell in cells]
        return (inside or seen)[-1].value if seen else None

    def answer(self, question: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer to a question that was asked in this run; None if it was not asked."""
        return next((event.answer for event in self.of(Answer) if event.question == question), None)

    def cells_of(self, role: str) -> set[int]:
        return {index for index, cell in enumerate(self.cells) if cell.role == role}

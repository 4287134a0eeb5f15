"""Evidence: what one run of a notebook left behind, as data of a declared form.

The kernel writes events, one JSON object a line (`bench.record`); here they are read, checked against the schema and
put in order. Nothing in it is executed or unpickled, and its size is limited.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from autograder.errors import EvidenceError

LARGEST = 20_000_000
"""Bytes of evidence that are read at most."""


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


Number = Annotated[float, BeforeValidator(lambda value: float(value) if isinstance(value, str) else value)]


class Value(Part):
    """A value of the notebook: its type's name and, as far as it has them, number, text, items or entries."""

    type: str
    number: Number | None = None
    text: str | None = None
    items: tuple[Value, ...] | None = None
    entries: dict[str, Value] | None = None
    length: int | None = None
    identity: int | None = None


class Event(Part):
    run: str
    cell: int
    sequence: int


class Start(Event):
    kind: Literal["start"]


class Overflow(Event):
    kind: Literal["overflow"]


class CellBegin(Event):
    kind: Literal["begin"]


class CellEnd(Event):
    """The end of a cell; `error` is the name of the exception's class, `cpu` real seconds of the processor."""

    kind: Literal["end"]
    error: str | None
    message: str
    cpu: float


class NameSeen(Event):
    """The value that a required name has after the cell."""

    kind: Literal["name"]
    name: str
    value: Value


class RowOrigin(Part):
    """Where rows of data come from: numbers of rows of the training set, of the test set and of neither."""

    rows: int
    distinct: int
    train: int
    test: int
    other: int
    labels_fit: bool | None


class CallbackUse(Part):
    """A callback given to `fit`; `watched` is the lab's own class, with the arguments of its instance."""

    type: str
    watched: bool
    instance: int
    threshold: Number | None
    patience: Number | None


class Fit(Event):
    """One `Model.fit`; times in virtual seconds, energies in virtual joules; `parameters` are the trainable ones.

    The accuracies by epoch are those of a real training; a scripted one has those of its plan.
    """

    kind: Literal["fit"]
    model: int
    trained_before: bool
    parameters: int
    optimizer: str
    learning_rate: float | None
    loss: str
    batch_size: int
    epochs: int
    initial_epoch: int
    validation_split: float | None
    data: RowOrigin
    validation: RowOrigin | None
    callbacks: tuple[CallbackUse, ...]
    plan: int | None
    accuracy: tuple[Number, ...] = ()
    val_accuracy: tuple[Number, ...]
    epochs_run: int
    begin: float
    end: float
    begin_energy: float
    end_energy: float
    test_predictions: tuple[int, ...] | None
    error: str | None = None

    @property
    def seconds(self) -> float:
        return self.end - self.begin

    @property
    def joules(self) -> float:
        return self.end_energy - self.begin_energy


class Use(Event):
    """`evaluate`, `predict` or a call of a model, at a time in virtual seconds."""

    kind: Literal["use"]
    what: Literal["evaluate", "predict"]
    model: int
    data: RowOrigin
    at: float


class Window(Event):
    """A measurement window of the energy monitor, in virtual seconds."""

    kind: Literal["window"]
    begin: float
    end: float


class TrialResult(Part):
    """Where an instance of the callback stopped (epoch from 0), or that it did not, or its error."""

    stop: int | None
    error: str | None


class CallbackDriven(Event):
    kind: Literal["callback"]
    results: tuple[TrialResult, ...]


class Act(Event):
    """Something that the notebook did and a grader should know of; see `bench.watch`."""

    kind: Literal["act"]
    what: str
    detail: str


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
    """A line or a cloud of points in data coordinates; `name` is what a legend calls it, "" if none does."""

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
    number: int
    title: str
    xlabel: str
    ylabel: str
    legend: tuple[str, ...] = ()
    axes: tuple[Axes, ...]


class Figures(Event):
    """All figures that exist after the cell."""

    kind: Literal["figures"]
    name: str
    value: tuple[FigureSeen, ...]


AnyEvent = Annotated[
    Start | Overflow | CellBegin | CellEnd | NameSeen | Fit | Use | Window | CallbackDriven | Figures | Act,
    Field(discriminator="kind"),
]
_EVENT: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


class RunCell(Part):
    """A cell as it was executed; `role` is a task's grade_id, `given`, `extra` or `stand-in`, `index` its place in the
    notebook."""

    role: str
    index: int | None
    status: Literal["ran", "error", "timeout", "not run"]
    error: str | None = None
    message: str = ""


class Evidence(Part):
    """All that one run left behind. Cells are numbered as in `cells`."""

    cells: tuple[RunCell, ...]
    events: tuple[AnyEvent, ...]
    training: Literal["scripted", "real"]
    gpus: int
    stand_ins: tuple[str, ...] = ()
    lost: str = ""

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def value(self, name: str, cells: set[int] | None = None) -> Value | None:
        """The last value seen for the name, in the given cells only if it was seen there."""
        seen = [event for event in self.of(NameSeen) if event.name == name]
        inside = [event for event in seen if cells and event.cell in cells]
        return (inside or seen)[-1].value if seen else None

    def cells_of(self, role: str) -> set[int]:
        return {index for index, cell in enumerate(self.cells) if cell.role == role}


def read_events(written: bytes, nonce: str) -> tuple[tuple[AnyEvent, ...], str]:
    """The events of the run with that nonce, and a sentence about what could not be read ("" if nothing).

    Raises EvidenceError where events are missing or there are more of them than the recorder wrote.
    """
    if not written:
        raise EvidenceError("The run left no evidence behind.")
    lost = []
    if len(written) > LARGEST:
        written = written[:LARGEST].rpartition(b"\n")[0]
        lost.append(f"The run left more than {LARGEST:,} bytes of evidence; the rest was not read.")
    events: list[AnyEvent] = []
    foreign = 0
    for line in written.splitlines():
        try:
            event = _EVENT.validate_json(line)
        except ValidationError:
            foreign += 1
            continue
        if event.run == nonce:
            events.append(event)
        else:
            foreign += 1
    if [event.sequence for event in events] != list(range(1, len(events) + 1)):
        raise EvidenceError("The notebook wrote into the evidence of its run: a person has to look at what it does.")
    if foreign:
        lost.append(f"{foreign} lines of the evidence are not of the declared form and were left out.")
    return tuple(events), " ".join(lost)

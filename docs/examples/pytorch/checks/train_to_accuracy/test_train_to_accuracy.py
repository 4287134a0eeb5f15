"""The checks of train-to-accuracy. They need no PyTorch: a script takes the place of the training."""

from dataclasses import dataclass

from hypothesis import strategies as st

from autograder.rubric import Code, Reply, Wrong, close_to, integers, item, show

SCRIPT = """
class Thing:
    '''Something to be passed on. Whatever method is called, nothing happens.'''
    def __init__(self, name):
        self.name = name
    def __getattr__(self, method):
        return lambda *args, **kwargs: self

model, train_loader, val_loader, optimizer, criterion = map(
    Thing, ("model", "train_loader", "val_loader", "optimizer", "criterion")
)
calls = []

def note(what, *arguments):
    calls.append([what, *(getattr(each, "name", "something else") for each in arguments)])

def epochs():
    return sum(what == "train" for what, *_ in calls)

def train_model(model, train_loader, optimizer, criterion):
    note("train", model, train_loader, optimizer, criterion)
    if epochs() > 100:
        raise RuntimeError("train_model was called more than 100 times")

def eval_model(model, loader):
    note("evaluate", model, loader)
    if loader is not val_loader:
        return 0.1
    return (accuracies + [0.1] * 100)[epochs() - 1] if epochs() else 0.1
"""

PARTS = ("model", "train_loader", "val_loader", "optimizer", "criterion", "train_model", "eval_model")
TRAIN = ["train", "model", "train_loader", "optimizer", "criterion"]
EVALUATE = ["evaluate", "model", "val_loader"]

thresholds = st.sampled_from([0.6, 0.8])
steps = st.lists(st.sampled_from([-0.2, 0.1, 0.15]), max_size=6)


@dataclass
class Training:
    """What the student's function did: `asked` describes the call, `calls` are those of the two scripted functions."""

    asked: str
    reply: Reply
    calls: list

    @property
    def epochs(self):
        return self.calls.count(TRAIN)


def train(case, accuracies, threshold, patience, max_epochs=50):
    """Call the student's function on a script; raise Wrong where it stops with an error."""
    script = Code(SCRIPT, accuracies=accuracies)
    parts = [script[name] for name in PARTS]
    reply = case.call("train_to_accuracy", max_epochs, threshold, patience, *parts, record=script["calls"])
    asked = f"threshold {threshold}, patience {patience} and the validation accuracies {show(accuracies)}"
    if reply.error:
        case.expect(reply, close_to(accuracies), given=accuracies)
    return Training(asked, reply, reply.record)


def wrong_stop(asked, epochs, expected):
    """Return the error for a training run that stopped after the wrong epoch."""
    return Wrong(
        f"With {asked}, the function stopped after epoch {epochs}; it should have stopped after epoch {expected}."
    )


def curve(threshold, steps):
    return [round(threshold + step, 2) for step in steps]


@item("train-to-accuracy", points=4)
def test_stop(case):
    """It stops after the first `patience` epochs in a row above the threshold."""
    for threshold, patience, drawn in case.samples_of(thresholds, integers(1, 3), steps):
        relapse = [*[0.1] * (patience - 1), -0.2]
        accuracies = curve(threshold, [*relapse, *drawn, *[0.1] * patience])
        above = [accuracy > threshold for accuracy in accuracies]
        expected = next(n for n in range(patience, len(above) + 1) if all(above[n - patience : n]))
        training = train(case, accuracies, threshold, patience)
        if training.epochs != expected:
            raise wrong_stop(training.asked, training.epochs, expected)


@item("train-to-accuracy", points=1)
def test_equal(case):
    """An accuracy that is equal to the threshold does not count."""
    training = train(case, [0.75, 0.75, 0.8], 0.75, 1)
    if training.epochs < 3:
        raise wrong_stop(training.asked, training.epochs, 3)


@item("train-to-accuracy", points=2)
def test_most_epochs(case):
    """It stops after `max_epochs` epochs at the latest."""
    for most in case.samples(integers(1, 8)):
        training = train(case, [0.1] * 20, 0.8, 2, max_epochs=most)
        if training.epochs != most:
            asked = f"max_epochs {most} and a network that never reaches the threshold"
            raise wrong_stop(asked, training.epochs, most)


@item("train-to-accuracy", points=3)
def test_each_epoch(case):
    """Each epoch trains the model once and then evaluates it on the validation data."""
    calls = train(case, [0.5, 0.9, 0.9], 0.8, 2).calls
    for what in calls:
        if what[0] == "train" and what != TRAIN:
            raise Wrong(f"train_model was called with ({', '.join(what[1:])}) instead of ({', '.join(TRAIN[1:])}).")
    counted = [what[0] for what in calls if what in (TRAIN, EVALUATE)]
    if not counted or counted[0] != "train" or counted[-1] != "evaluate" or "train train" in " ".join(counted):
        raise Wrong("The function should call train_model and then eval_model(model, val_loader) in every epoch.")


@item("train-to-accuracy", points=2)
def test_result(case):
    """It returns the list of the validation accuracies, one for each epoch."""
    for threshold, drawn in case.samples_of(thresholds, steps):
        accuracies = curve(threshold, [*drawn, 0.1, 0.1])
        training = train(case, accuracies, threshold, 2, max_epochs=len(accuracies))
        case.expect(training.reply, close_to(accuracies[: training.epochs]), given=accuracies)

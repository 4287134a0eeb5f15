"""Submissions of train-to-accuracy, right and wrong ones, and the points that they must lose."""

from pathlib import Path

import pytest

from autograder import Course
from autograder.commands.validate import validate_release
from autograder.testing import lost_points, make_fixture, messages

grader = make_fixture("train-to-accuracy", Course(Path(__file__).resolve().parents[3]))

HEAD = (
    "def train_to_accuracy(max_epochs, threshold, patience, model, train_loader, val_loader, optimizer, criterion,"
    " train_model, eval_model):\n"
)

LOOP = (
    HEAD
    + """
    accuracies, hits = [], 0
    for epoch in range(max_epochs):
        train_model(model, train_loader, optimizer, criterion)
        accuracies.append(eval_model(model, val_loader))
        hits = hits + 1 if accuracies[-1] > threshold else 0
        if hits == patience:
            break
    return accuracies
"""
)

RIGHT = {
    "by the last values": HEAD
    + """
    history = []
    while len(history) < max_epochs:
        train_model(model=model, train_loader=train_loader, optimizer=optimizer, criterion=criterion)
        history += [eval_model(model, val_loader)]
        if len(history) >= patience and min(history[-patience:]) > threshold:
            return history
    return history
""",
    "with an import of torch": "import torch\nfrom torch import nn\n" + LOOP,
    "with the accuracy on the training data": LOOP.replace(
        "        hits =", "        print('training', eval_model(model, train_loader))\n        hits ="
    ),
    "with methods of the model": LOOP.replace(
        "        train_model", "        model.train(); optimizer.zero_grad()\n        train_model"
    ),
    "as an array": "import numpy as np\n" + LOOP.replace("return accuracies", "return np.array(accuracies)"),
}

WRONG = {
    "not in a row": (
        LOOP.replace(" else 0", " else hits"),
        4,
        "[0.7, 0.4, 0.7, 0.7], the function stopped after epoch 3; it should have stopped after epoch 4.",
    ),
    "at the threshold": (
        LOOP.replace("> threshold", ">= threshold"),
        1,
        "[0.75, 0.75, 0.8], the function stopped after epoch 1; it should have stopped after epoch 3.",
    ),
    "one epoch too many": (LOOP.replace("hits == patience", "hits > patience"), 4, "it should have stopped"),
    "no limit": (
        LOOP.replace("for epoch in range(max_epochs)", "while True"),
        2,
        "stopped with RuntimeError: train_model was called more than 100 times.",
    ),
    "on the training data": (LOOP.replace("val_loader))", "train_loader))"), 9, "every epoch"),
    "arguments swapped": (
        LOOP.replace("optimizer, criterion)\n        acc", "criterion, optimizer)\n        acc"),
        12,
        "train_model was called with (model, train_loader, criterion, optimizer) instead of",
    ),
    "the number of epochs": (LOOP.replace("return accuracies", "return len(accuracies)"), 2, "returned"),
    "stops early with a count of all trainings": (
        "hits = 0\n" + LOOP.replace("accuracies, hits = [], 0", "global hits\n    accuracies = []"),
        4,
        "it should have stopped",
    ),
}


def test_the_example_is_valid(grader):
    assert validate_release(grader.assignment) == []


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_way_has_all_points(grader, name):
    verdict = grader.grade({"train-to-accuracy": RIGHT[name]})
    assert lost_points(verdict) == {}, messages(verdict)


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_costs_its_rule(grader, name):
    source, points, sentence = WRONG[name]
    verdict = grader.grade({"train-to-accuracy": source})
    assert lost_points(verdict) == {"train-to-accuracy": points}, messages(verdict)
    assert sentence in messages(verdict)["train-to-accuracy"]


def test_the_release_has_no_points_and_says_so(grader):
    verdict = grader.grade(others="release")
    assert verdict.points == 0
    assert messages(verdict)["train-to-accuracy"] == "`train_to_accuracy` is not complete."

"""Correct and incorrect submissions for features, and the points that the incorrect ones must lose."""

from __future__ import annotations

import pytest

from autograder.testing import Grader, lost_points, make_fixture, messages

grader = make_fixture("features")

RIGHT = {
    "with loops and lists": {
        "rms": "def rms(x):\n    return (sum(v * v for v in x) / len(x)) ** 0.5",
        "zero-crossings": "def zero_crossing_rate(x):\n"
        "    return sum((a < 0) != (b < 0) for a, b in zip(x, x[1:])) / (len(x) - 1)",
        "mel": "def mel_filters(n_bands, n_fft, rate):\n"
        "    mel = np.linspace(0, 2595 * np.log10(1 + rate / 1400), n_bands + 2)\n"
        "    c = 700 * (10 ** (mel / 2595) - 1)\n    f = np.linspace(0, rate / 2, n_fft // 2 + 1)\n"
        "    return np.array([np.interp(f, c[i:i + 3], [0, 1, 0]) for i in range(n_bands)]).T",
        "split": "import random\ndef split_by_pitch(table, share, seed):\n    every = sorted(set(table.pitch))\n"
        "    k = min(len(every) - 1, max(1, round(len(every) * share)))\n"
        "    chosen = random.Random(seed).sample(every, k)\n"
        "    return [table[~table.pitch.isin(chosen)], table[table.pitch.isin(chosen)]]",
        "histogram": "counts, edges = np.histogram(notes.level, bins=10)\n"
        "plt.bar(edges[:-1], counts, width=np.diff(edges)); plt.xlabel('dB'); plt.ylabel('n')",
    },
    "with scikit-learn and pandas": {
        "standardise": "from sklearn.preprocessing import StandardScaler\ndef standardise(x_train, x_test):\n"
        "    scaler = StandardScaler().fit(x_train)\n    return scaler.transform(x_train), scaler.transform(x_test)",
        "baseline": "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\n"
        "def baseline(x_train, y_train, x_test, y_test):\n"
        "    model = make_pipeline(StandardScaler(), KNeighborsClassifier(1)).fit(x_train, y_train)\n"
        "    return {'predictions': list(model.predict(x_test)), 'accuracy': model.score(x_test, y_test)}",
        "histogram": "notes['level'].plot.hist(bins=20, density=True).set_xlabel('level in dB')",
    },
}

LEAK = """
def standardise(x_train, x_test):
    both = np.concatenate([x_train, x_test])
    scale = lambda x: (x - both.mean(axis=0)) / both.std(axis=0)
    return scale(x_train), scale(x_test)
"""

OWN = """
def standardise(x_train, x_test):
    scale = lambda x: (x - x.mean(axis=0)) / x.std(axis=0)
    return scale(x_train), scale(x_test)
"""

RANDOM = """
def split_by_pitch(table, share, seed):
    test = table.sample(n=max(1, round(share * len(table))), random_state=seed)
    return table.drop(test.index), test
"""

WRONG = {
    "mean absolute value": (
        "rms",
        "def rms(x):\n    return np.mean(np.abs(x))",
        2,
        "array([0., 1.]), `rms` returned 0.5",
    ),
    "no root": ("rms", "def rms(x):\n    return np.mean(x ** 2)", 2, "it should be"),
    "divided by the number of samples": (
        "zero-crossings",
        "def zero_crossing_rate(x):\n    return np.sum((x[1:] < 0) != (x[:-1] < 0)) / len(x)",
        4,
        "it should be",
    ),
    "sign of zero": (
        "zero-crossings",
        "def zero_crossing_rate(x):\n    return np.mean(np.sign(x[1:]) != np.sign(x[:-1]))",
        1,
        "`zero_crossing_rate` returned",
    ),
    "evenly spaced in hertz": (
        "mel",
        "def mel_filters(n_bands, n_fft, rate):\n    c = np.linspace(0, rate / 2, n_bands + 2)\n"
        "    f = np.fft.rfftfreq(n_fft, 1 / rate)\n"
        "    return np.array([np.interp(f, c[i:i + 3], [0, 1, 0]) for i in range(n_bands)]).T",
        5,
        "At [",
    ),
    "leakage between pitches": ("split", RANDOM, 4, "is in both tables"),
    "leakage of the test notes": ("standardise", LEAK, 6, "were computed from the test notes too"),
    "scaled by its own statistics": ("standardise", OWN, 6, "were scaled with their own mean"),
    "deviation of a sample": (
        "standardise",
        "def standardise(x_train, x_test):\n    mean, s = x_train.mean(axis=0), x_train.std(axis=0, ddof=1)\n"
        "    s[s == 0] = 1\n    return (x_train - mean) / s, (x_test - mean) / s",
        5,
        "it should be",
    ),
    "training notes overwritten before their mean is used again": (
        "standardise",
        "def standardise(x_train, x_test):\n    s = x_train.std(axis=0)\n    s[s == 0] = 1\n"
        "    x_train = x_train - x_train.mean(axis=0)\n    return x_train / s, (x_test - x_train.mean(axis=0)) / s",
        5,
        "it should be",
    ),
    "constant column set to 0": (
        "standardise",
        "def standardise(x_train, x_test):\n    mean, s = x_train.mean(axis=0), x_train.std(axis=0)\n"
        "    return [np.where(s > 0, (x - mean) / np.where(s > 0, s, 1), 0) for x in (x_train, x_test)]",
        1,
        "it should be",
    ),
    "not standardised": (
        "baseline",
        "def baseline(x_train, y_train, x_test, y_test):\n"
        "    p = KNeighborsClassifier(1).fit(x_train, y_train).predict(x_test)\n"
        "    return {'predictions': p, 'accuracy': np.mean(p == y_test)}",
        3,
        "standardised features",
    ),
    "fraction of wrong predictions": (
        "baseline",
        "def baseline(x_train, y_train, x_test, y_test):\n    a, b = standardise(x_train, x_test)\n"
        "    p = KNeighborsClassifier(1).fit(a, y_train).predict(b)\n"
        "    return {'predictions': p, 'accuracy': np.mean(p != y_test)}",
        2,
        "it should be",
    ),
    "no labels": ("histogram", "plt.hist(notes['level'], bins=12)", 2, "Neither axis has a label"),
    "a part of the notes": (
        "histogram",
        "plt.hist(notes['level'][:50], bins=12); plt.xlabel('dB'); plt.ylabel('n')",
        2,
        "The bars add up to 50 notes; there are 216.",
    ),
}


def test_the_solution_has_all_points(grader: Grader) -> None:
    for seed in (1, 2):
        assert lost_points(grader.grade(seed=seed)) == {}


@pytest.mark.parametrize("name", RIGHT)
def test_another_right_way_has_all_points(grader: Grader, name: str) -> None:
    verdict = grader.grade(RIGHT[name])
    assert lost_points(verdict) == {}, messages(verdict)


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_costs_its_own_item(grader: Grader, name: str) -> None:
    item, source, points, sentence = WRONG[name]
    verdict = grader.grade({item: source})
    assert lost_points(verdict) == {item: points}, messages(verdict)
    assert sentence in messages(verdict)[item]


def test_the_release_has_no_points_and_says_so(grader: Grader) -> None:
    verdict = grader.grade(others="release")
    assert verdict.points == 0
    assert all("not complete" in message for message in messages(verdict).values())


def test_no_tensorflow_is_imported(grader: Grader) -> None:
    cell = (
        "import sys\nassert not {'tensorflow', 'keras'} & set(sys.modules)\n"
        "def rms(x):\n    return np.linalg.norm(x) / len(x) ** 0.5"
    )
    assert lost_points(grader.grade({"rms": cell})) == {}

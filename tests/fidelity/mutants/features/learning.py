"""Faults in the scaling of features and in the baseline."""

from __future__ import annotations

from functools import partial

from ...mutant import Edit, Mutant, mutant
from .in_task import in_task

standardise = partial(in_task, "standardise")
NUMBERS = "mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)"
SAFE = "deviation = np.where(deviation == 0, 1, deviation)"
RETURN = "return (x_train - mean) / deviation, (x_test - mean) / deviation"

SCALING: list[Mutant] = [
    standardise("leaked", "numbers of training and test notes together", (NUMBERS, "both = np.concatenate([x_train, x_test])\n    mean, deviation = both.mean(axis=0), both.std(axis=0)")),
    standardise("mean-leaked", "the mean of all notes, the deviation of the training notes", (NUMBERS, "mean, deviation = np.concatenate([x_train, x_test]).mean(axis=0), x_train.std(axis=0)")),
    standardise("deviation-leaked", "the deviation of all notes, the mean of the training notes", (NUMBERS, "mean, deviation = x_train.mean(axis=0), np.concatenate([x_train, x_test]).std(axis=0)")),
    standardise("own-numbers", "the test notes by their own numbers", (RETURN, "return (x_train - mean) / deviation, (x_test - x_test.mean(axis=0)) / np.where(x_test.std(axis=0) == 0, 1, x_test.std(axis=0))")),
    standardise("fitted-twice", "fit_transform of the test notes too", ("scaler.transform(x_test)", "scaler.fit_transform(x_test)"), variant="scikit_learn"),
    standardise("test-deviation", "the deviation of the test notes", ("x_train.std(axis=0)", "x_test.std(axis=0)")),
    standardise("one-less", "the deviation of a sample (ddof=1)", ("x_train.std(axis=0)", "x_train.std(axis=0, ddof=1)")),
    standardise("one-less-in-pandas", "the default of pandas, ddof=1", ("train.std(ddof=0)", "train.std()"), variant="pandas_routes"),
    standardise("one-number-for-all", "one mean and one deviation for all columns", (NUMBERS, "mean, deviation = x_train.mean(), x_train.std()")),
    standardise("by-rows", "numbers of the rows", (RETURN, "scale = lambda x: (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)\n    return scale(x_train), scale(x_test)")),
    standardise("variance", "divided by the variance", ("x_train.std(axis=0)", "x_train.var(axis=0)")),
    standardise("only-centred", "not divided", (RETURN, "return x_train - mean, x_test - mean")),
    standardise("only-divided", "not centred", (RETURN, "return x_train / deviation, x_test / deviation")),
    standardise("brackets-missing", "the mean is divided, not the difference", (RETURN, "return x_train - mean / deviation, x_test - mean / deviation")),
    standardise("to-the-unit-interval", "scaled to 0 to 1", (NUMBERS, "mean, deviation = x_train.min(axis=0), np.ptp(x_train, axis=0)")),
    standardise("median", "the median instead of the mean", ("x_train.mean(axis=0)", "np.median(x_train, axis=0)")),
    standardise("divides-by-zero", "a constant column is divided by 0", (SAFE, "")),
    standardise("small-number-added", "a small number is added to the deviation", (SAFE, "deviation = deviation + 1e-8")),
    standardise("constant-becomes-zero", "a constant column is set to 0", (RETURN, "is_constant = x_train.std(axis=0) == 0\n    scale = lambda x: np.where(is_constant, 0, (x - mean) / deviation)\n    return scale(x_train), scale(x_test)")),
    standardise("constant-left", "a constant column is left as it is", (RETURN, "is_constant = x_train.std(axis=0) == 0\n    scale = lambda x: np.where(is_constant, x, (x - mean) / deviation)\n    return scale(x_train), scale(x_test)")),
    standardise("constant-dropped", "a constant column is dropped", (RETURN, "keep = x_train.std(axis=0) > 0\n    return ((x_train - mean) / deviation)[:, keep], ((x_test - mean) / deviation)[:, keep]")),
    standardise("swapped", "the test notes first", (RETURN, "return (x_test - mean) / deviation, (x_train - mean) / deviation")),
    standardise("test-left", "the test notes are left as they are", (RETURN, "return (x_train - mean) / deviation, x_test")),
    standardise("only-the-training", "only the training notes come back", (RETURN, "return (x_train - mean) / deviation")),
    standardise("rounded", "rounded to one decimal", (RETURN, "return ((x_train - mean) / deviation).round(1), ((x_test - mean) / deviation).round(1)")),
    standardise("no-return", "nothing comes back", (RETURN, "x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation")),
    standardise("error", "a misspelt name", (RETURN, "return (x_train - mean) / deviaton, (x_test - mean) / deviaton")),
    standardise("syntax-error", "a colon is missing", ("x_test):", "x_test)")),
    standardise("another-name", "the function has another name; the baseline scales by itself", ("def standardise", "def standardize"), variant="scikit_learn"),
    standardise("not-filled-in", "left as it was released; the baseline calls it", (None, "def standardise(x_train, x_test):\n    # YOUR CODE HERE\n    raise NotImplementedError()")),
    standardise("missing-behind-a-pipeline", "the function is missing; the baseline scales by itself", (None, "from sklearn.preprocessing import StandardScaler"), variant="scikit_learn"),
]

baseline = partial(in_task, "baseline")
SCALE = "    x_train, x_test = standardise(x_train, x_test)\n"
MODEL = "KNeighborsClassifier(n_neighbors=1)"
ACCURACY = "np.mean(predictions == y_test)"

BASELINE: list[Mutant] = [
    baseline("not-standardised", "the features are not standardised", (SCALE, "")),
    baseline("training-standardised", "only the training notes are standardised", ("    x_train, x_test = standardise", "    x_train, _ = standardise")),
    baseline("standardised-apart", "each array by itself", (SCALE, "    x_train, x_test = standardise(x_train, x_train)[0], standardise(x_test, x_test)[0]\n")),
    baseline("leaked", "scaled by all notes", (SCALE, "    x_train, x_test = standardise(np.concatenate([x_train, x_test]), x_train)[1], standardise(np.concatenate([x_train, x_test]), x_test)[1]\n")),
    baseline("arguments-swapped", "scaled by the test notes", (SCALE, "    x_test, x_train = standardise(x_test, x_train)\n")),
    baseline("three-neighbours", "three neighbours", ("n_neighbors=1", "n_neighbors=3")),
    baseline("five-neighbours", "the default of five neighbours", ("n_neighbors=1", "")),
    baseline("manhattan", "another distance", ("n_neighbors=1", 'n_neighbors=1, metric="manhattan"')),
    baseline("cosine", "the angle as the distance", ("n_neighbors=1", 'n_neighbors=1, metric="cosine"')),
    baseline("nearest-centroid", "the nearest mean of a class", (None, 'from sklearn.neighbors import NearestCentroid\n\ndef baseline(x_train, y_train, x_test, y_test):\n    x_train, x_test = standardise(x_train, x_test)\n    predictions = NearestCentroid().fit(x_train, y_train).predict(x_test)\n    return {"predictions": predictions, "accuracy": np.mean(predictions == y_test)}')),
    baseline("fitted-on-the-test", "fitted on the test notes", ("fit(x_train, y_train)", "fit(x_test, y_test)")),
    baseline("fitted-on-all", "fitted on training and test notes", ("fit(x_train, y_train)", "fit(np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test]))")),
    baseline("half-of-the-training", "fitted on half of the training notes", ("fit(x_train, y_train)", "fit(x_train[::2], y_train[::2])")),
    baseline("predicts-the-training", "predictions of the training notes", ("predict(x_test)\n", "predict(x_train)\n"), (ACCURACY, "np.mean(predictions == y_train)")),
    baseline("true-labels", "the true labels as predictions", ('"predictions": predictions', '"predictions": y_test')),
    baseline("accuracy-of-the-training", "the accuracy on the training notes", (ACCURACY, "model.score(x_train, y_train)")),
    baseline("accuracy-without-scaling", "score with features that are not scaled", (SCALE, "    a, b = standardise(x_train, x_test)\n"), ("fit(x_train, y_train)", "fit(a, y_train)"), ("predict(x_test)\n", "predict(b)\n"), (ACCURACY, "model.score(x_test, y_test)")),
    baseline("error-rate", "the share of wrong predictions", (ACCURACY, "np.mean(predictions != y_test)")),
    baseline("per-cent", "in per cent", (ACCURACY, "100 * np.mean(predictions == y_test)")),
    baseline("count", "the number of right predictions", (ACCURACY, "np.sum(predictions == y_test)")),
    baseline("by-the-training", "divided by the number of training notes", (ACCURACY, "np.sum(predictions == y_test) / len(y_train)")),
    baseline("as-text", "the accuracy as a text", (ACCURACY, 'f"{np.mean(predictions == y_test):.1%}"')),
    baseline("always-one", "an accuracy that was typed in", (ACCURACY, "1.0")),
    baseline("hits", "an accuracy for each note", (ACCURACY, "predictions == y_test")),
    baseline("accuracy-missing", "no accuracy", (', "accuracy": np.mean(predictions == y_test)', "")),
    baseline("predictions-missing", "no predictions", ('"predictions": predictions, ', "")),
    baseline("other-key", "the key in the singular", ('"predictions":', '"prediction":')),
    baseline("other-key-for-accuracy", "`acc` instead of `accuracy`", ('"accuracy":', '"acc":')),
    baseline("pair", "a pair instead of a dictionary", ('return {"predictions": predictions, "accuracy": np.mean(predictions == y_test)}', "return predictions, np.mean(predictions == y_test)")),
    baseline("values-swapped", "the values under each other's keys", ('{"predictions": predictions, "accuracy": np.mean(predictions == y_test)}', '{"accuracy": predictions, "predictions": np.mean(predictions == y_test)}')),
    baseline("probabilities", "probabilities instead of labels", ('"predictions": predictions', '"predictions": model.predict_proba(x_test)')),
    baseline("correlation", "regression instead of classification", (MODEL, "KNeighborsRegressor(n_neighbors=2)"), ("def baseline", "from sklearn.neighbors import KNeighborsRegressor\n\ndef baseline")),
    baseline("furthest", "the furthest note instead of the nearest", ("distances.argmin", "distances.argmax"), variant="nearest_by_hand"),
    baseline("error", "the model is never fitted", (".fit(x_train, y_train)", "")),
    baseline("printed", "printed, and nothing returned", ("return {", "print({"), ("y_test)}", "y_test)})")),
    baseline("another-name", "the function has another name", ("def baseline", "def base_line")),
]

BOTH: list[Mutant] = [
    mutant(
        "standardise-misnamed-and-called",
        "another name, under which the baseline calls it",
        Edit("standardise", "def standardise", "def standardize"),
        Edit("baseline", "= standardise", "= standardize"),
        items="standardise",
        assignment="features",
    ),
]

MUTANTS = [*SCALING, *BASELINE, *BOTH]

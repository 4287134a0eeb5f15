"""Faults in the cell that computes the sizes of the data."""

from __future__ import annotations

from ..mutant import Edit, Mutant, mutant

CELL = "data-details"
SHAPE = "n_tr, n_feat = Xtr_scale.shape"
TEST = "n_ts = Xts_scale.shape[0]"
CLASSES = "n_class = len(np.unique(ytr))"


def _sizes(id_: str, fault: str, old: str | None, new: str) -> Mutant:
    return mutant(f"data-{id_}", fault, Edit(CELL, old, new), items=CELL)


MUTANTS = [
    _sizes("typed-in-training", "n_tr is typed in", SHAPE, "n_tr = 66247\nn_feat = Xtr_scale.shape[1]"),
    _sizes("typed-in-test", "n_ts is typed in", TEST, "n_ts = 14904"),
    _sizes("typed-in-features", "n_feat is typed in", SHAPE, "n_tr = Xtr_scale.shape[0]\nn_feat = 120"),
    _sizes("typed-in-classes", "n_class is typed in", CLASSES, "n_class = 10"),
    _sizes(
        "typed-in-all",
        "all four numbers are typed in",
        None,
        "n_tr = 66247\nn_ts = 14904\nn_feat = 120\nn_class = 10",
    ),
    _sizes("rows-and-columns-swapped", "rows and columns are swapped", SHAPE, "n_feat, n_tr = Xtr_scale.shape"),
    _sizes(
        "training-from-test",
        "n_tr counts the test notes",
        SHAPE,
        "n_tr = Xts_scale.shape[0]\nn_feat = Xtr_scale.shape[1]",
    ),
    _sizes("test-from-training", "n_ts counts the training notes", TEST, "n_ts = ytr.shape[0]"),
    _sizes("sets-swapped", "n_tr and n_ts are swapped", TEST, "n_tr, n_ts = len(yts), len(ytr)"),
    _sizes(
        "features-from-rows",
        "n_feat is the number of rows",
        SHAPE,
        "n_tr = Xtr_scale.shape[0]\nn_feat = Xtr_scale.shape[0]",
    ),
    _sizes("features-ndim", "n_feat is the number of dimensions", SHAPE, "n_tr = len(Xtr_scale)\nn_feat = Xtr_scale.ndim"),
    _sizes(
        "features-less-one",
        "n_feat is one too small",
        SHAPE,
        "n_tr = len(Xtr_scale)\nn_feat = Xtr_scale.shape[1] - 1",
    ),
    _sizes("training-size", "n_tr counts all numbers in the array", SHAPE, "n_tr = Xtr_scale.size\nn_feat = Xtr_scale.shape[1]"),
    _sizes("training-shape", "n_tr is the whole shape", SHAPE, "n_tr = Xtr_scale.shape\nn_feat = Xtr_scale.shape[1]"),
    _sizes(
        "training-less-validation",
        "n_tr leaves out the notes for validation",
        SHAPE,
        "n_tr, n_feat = Xtr_scale.shape\nn_tr = int(0.8 * n_tr)",
    ),
    _sizes("both-sets-together", "n_tr counts both sets", TEST, f"{TEST}\nn_tr = n_tr + n_ts"),
    _sizes("test-from-columns", "n_ts is the number of columns", TEST, "n_ts = Xts_scale.shape[1]"),
    _sizes("classes-from-highest-label", "n_class is the highest label", CLASSES, "n_class = int(ytr.max())"),
    _sizes("classes-one-too-many", "n_class is one too large", CLASSES, "n_class = len(np.unique(ytr)) + 1"),
    _sizes("classes-from-rows", "n_class is the number of labels", CLASSES, "n_class = len(ytr)"),
    _sizes("classes-not-counted", "n_class is the array of labels", CLASSES, "n_class = np.unique(ytr)"),
    _sizes("classes-as-text", "n_class is a text", CLASSES, "n_class = str(len(np.unique(ytr)))"),
    _sizes("test-missing", "n_ts is never defined", f"{TEST}\n", ""),
    _sizes("stops-with-an-error", "the cell stops with a NameError before n_class", CLASSES, "n_class = len(np.unique(y_train))"),
    _sizes("not-done", "the cell was left as released", None, "# YOUR CODE HERE\nraise NotImplementedError()"),
]

"""Faults in the split of the notes."""

from __future__ import annotations

from functools import partial

from ...mutant import Mutant
from .in_task import in_task

split = partial(in_task, "split")
N_TEST = "n_test = min(max(1, round(share * len(pitches))), len(pitches) - 1)"
DRAW = 'np.random.default_rng(seed).permutation(table["pitch"].unique())'
RETURN = "return table[~is_test], table[is_test]"

MUTANTS: list[Mutant] = [
    split("random-rows", "rows are chosen, not pitches", (None, "def split_by_pitch(table, share, seed):\n    test = table.sample(n=max(1, round(share * len(table))), random_state=seed)\n    return table.drop(test.index), test")),
    split("train-test-split", "train_test_split of scikit-learn, over rows", (None, "from sklearn.model_selection import train_test_split\n\ndef split_by_pitch(table, share, seed):\n    n = max(1, min(len(table) - 1, round(share * len(table))))\n    return tuple(train_test_split(table, test_size=n, random_state=seed))")),
    split("stratified-by-pitch", "a share of the notes of every pitch", (None, 'def split_by_pitch(table, share, seed):\n    test = table.groupby("pitch").sample(frac=share, random_state=seed)\n    return table.drop(test.index), test')),
    split("one-pitch-in-both", "the last pitch of the test table is in both", (RETURN, 'return table[~table["pitch"].isin(pitches[: n_test - 1])], table[is_test]')),
    split("train-is-everything", "the training table is the whole table", (RETURN, "return table, table[is_test]")),
    split("swapped", "the test table first", (RETURN, "return table[is_test], table[~is_test]")),
    split("index-lost", "the rows are numbered anew", (RETURN, "return table[~is_test].reset_index(drop=True), table[is_test].reset_index(drop=True)")),
    split("one-row-lost", "a row of the training table is lost", (RETURN, "return table[~is_test][1:], table[is_test]")),
    split("one-note-a-pitch", "one note of each pitch is kept", (RETURN, 'return table[~is_test].drop_duplicates("pitch"), table[is_test].drop_duplicates("pitch")')),
    split("test-rows-twice", "rows of the test table come twice", (RETURN, "return table[~is_test], pd.concat([table[is_test], table[is_test]])")),
    split("columns-lost", "only the pitches come back", (RETURN, 'return table[~is_test][["pitch"]], table[is_test][["pitch"]]')),
    split("levels-of-other-rows", "the levels are put in another order than the pitches", (RETURN, 'table = table.assign(level=table["level"].to_numpy()[::-1])\n    return table[~is_test], table[is_test]')),
    split("pitches-lost", "the column of the pitch is dropped", (RETURN, 'return table[~is_test].drop(columns="pitch"), table[is_test].drop(columns="pitch")')),
    split("rounded-down", "rounded down", ("round(share * len(pitches))", "int(share * len(pitches))")),
    split("rounded-up", "rounded up", ("round(share * len(pitches))", "int(np.ceil(share * len(pitches)))")),
    split("none-in-the-test", "the test table may be empty", ("max(1, round(share * len(pitches)))", "round(share * len(pitches))")),
    split("all-in-the-test", "the training table may be empty", (N_TEST, "n_test = max(1, round(share * len(pitches)))")),
    split("share-of-the-rows", "a share of the number of rows", ("round(share * len(pitches))", "round(share * len(table))")),
    split("share-of-the-training", "the share is that of the training table", ("share * len(pitches)", "(1 - share) * len(pitches)")),
    split("share-of-its-own", "always a quarter", ("share * len(pitches)", "0.25 * len(pitches)")),
    split("one-too-many", "a slice one longer", ("pitches[:n_test]", "pitches[: n_test + 1]")),
    split("share-of-scikit-learn", "a share given to GroupShuffleSplit, which rounds up", ("test_size=n_test, train_size=n - n_test", "test_size=share"), variant="scikit_learn"),
    split("with-replacement", "a pitch may be drawn twice", ("size=anzahl, replace=False", "size=anzahl"), variant="names_in_another_language"),
    split("seed-ignored", "a seed of its own", ("default_rng(seed)", "default_rng(0)")),
    split("no-seed", "another split in every call", ("default_rng(seed)", "default_rng()")),
    split("not-random", "the lowest pitches", (DRAW, 'np.sort(table["pitch"].unique())')),
    split("first-come", "the pitches in the order of the table", (DRAW, 'table["pitch"].unique()')),
    split("seed-of-another-generator", "seeds NumPy, draws with random", ("random.seed(seed)", "np.random.seed(seed)"), variant="loops_and_lists"),
    split("parity-of-the-seed", "only two different splits", ("default_rng(seed)", "default_rng(seed % 2)")),
    split("table-of-the-notebook", "splits the table of the notebook, whatever is passed", (RETURN, 'is_test = notes["pitch"].isin(pitches[:n_test])\n    return notes[~is_test], notes[is_test]')),
    split("pitch-classes", "octaves are taken together", (DRAW, 'np.random.default_rng(seed).permutation((table["pitch"] % 12).unique())'), ('table["pitch"].isin', '(table["pitch"] % 12).isin')),
    split("only-the-test", "only the test table comes back", (RETURN, "return table[is_test]")),
    split("dictionary", "a dictionary of tables", (RETURN, 'return {"train": table[~is_test], "test": table[is_test]}')),
    split("arrays", "arrays instead of tables", (RETURN, "return table[~is_test].to_numpy(), table[is_test].to_numpy()")),
    split("masks", "masks instead of tables", (RETURN, "return ~is_test, is_test")),
    split("error", "a column that the table does not have", ('table["pitch"].isin', 'table["midi"].isin')),
    split("not-filled-in", "left as it was released", (None, "def split_by_pitch(table, share, seed):\n    # YOUR CODE HERE\n    raise NotImplementedError()")),
]

"""Faults in the histogram."""

from __future__ import annotations

from functools import partial

from ...mutant import Mutant
from .in_task import in_task

histogram = partial(in_task, "histogram")
HIST = 'ax.hist(notes["level"], bins=15)'
XLABEL = 'ax.set_xlabel("Level (dB)")\n'
YLABEL = 'ax.set_ylabel("Notes")\n'

MUTANTS: list[Mutant] = [
    histogram("seven-bins", "seven bins", ("bins=15", "bins=7")),
    histogram("three-bins-stacked", "five bins, stacked by instrument", ("bins=12", "bins=5"), variant="stacked_histogram"),
    histogram("pitches", "the pitches instead of the levels", ('notes["level"]', 'notes["pitch"]')),
    histogram("signs-lost", "levels without their sign", ('notes["level"]', '-notes["level"]')),
    histogram("amplitudes", "amplitudes instead of levels", ('notes["level"]', '10 ** (notes["level"] / 20)')),
    histogram("loudness", "the root mean square of the sounds", ('notes["level"]', "[rms(sound) for sound in sounds]")),
    histogram("row-numbers", "the numbers of the rows", ('notes["level"]', "notes.index")),
    histogram("samples-of-a-sound", "the samples of the first sounds", ('notes["level"]', "sounds[0][:216]")),
    histogram("one-instrument", "the notes of one instrument", ('notes["level"]', 'notes.loc[notes["instrument"] == "flute", "level"]')),
    histogram("one-instrument-for-all", "the table is cut down to one instrument", (HIST, f'notes = notes[notes["instrument"] == "flute"]\n{HIST}')),
    histogram("first-notes", "the first hundred notes", ('notes["level"]', 'notes["level"][:100]')),
    histogram("density-of-a-part", "the density of the first hundred notes", (HIST, 'ax.hist(notes["level"][:100], bins=15, density=True)')),
    histogram("levels-once", "each level only once", ('notes["level"]', 'notes["level"].unique()')),
    histogram("range-cut", "a range that leaves out the softest notes", ("bins=15", "bins=15, range=(-20, 0)")),
    histogram("cumulative", "counts that add up", ("bins=15", "bins=15, cumulative=True")),
    histogram("bars-of-notes", "a bar for each note", (HIST, 'ax.bar(notes.index, notes["level"])')),
    histogram("means-of-instruments", "the mean level of each instrument", (HIST, 'means = notes.groupby("instrument")["level"].mean()\nax.bar(means.index, means)')),
    histogram("notes-of-instruments", "the number of notes of each instrument", (HIST, 'ax.bar(*np.unique(notes["instrument"], return_counts=True))')),
    histogram("line", "a line of the levels", (HIST, 'ax.plot(notes["level"])')),
    histogram("sorted-bins", "the counts in the order of their size", ("counts, edges = np.histogram(notes[\"level\"], bins=12)", "counts, edges = np.histogram(notes[\"level\"], bins=12)\ncounts = np.sort(counts)"), variant="scipy_routes"),
    histogram("scatter", "a cloud of points", (HIST, 'ax.scatter(notes["pitch"], notes["level"])')),
    histogram("box", "a box plot", (HIST, 'ax.boxplot(notes["level"])')),
    histogram("no-x-label", "no label below", (XLABEL, "")),
    histogram("no-y-label", "no label at the side", (YLABEL, "")),
    histogram("no-labels", "no labels", (XLABEL, ""), (YLABEL, "")),
    histogram("empty-labels", "labels of blanks", ('"Level (dB)"', '" "'), ('"Notes"', '" "')),
    histogram("no-unit", "no unit", ('"Level (dB)"', '"Level"')),
    histogram("unit-of-frequency", "hertz as the unit", ('"Level (dB)"', '"Level (Hz)"')),
    histogram("unit-at-the-other-axis", "the unit stands at the counts", ('"Level (dB)"', '"Level"'), ('"Notes"', '"Notes (dB)"')),
    histogram("labels-swapped", "each axis has the label of the other", (XLABEL, 'ax.set_xlabel("Notes")\n'), (YLABEL, 'ax.set_ylabel("Level (dB)")\n')),
    histogram("labels-as-title", "what is shown is in the title alone", (XLABEL, 'ax.set_title("Notes by level (dB)")\n'), (YLABEL, "")),
    histogram("labels-of-another-figure", "the labels are put on a new figure", (XLABEL, "plt.figure()\nplt.xlabel('Level (dB)')\n"), (YLABEL, "plt.ylabel('Notes')\n")),
    histogram("labels-overwritten", "a name is assigned, and not called", (XLABEL, 'plt.xlabel = "Level (dB)"\n'), (YLABEL, 'plt.ylabel = "Notes"\n')),
    histogram("names-of-columns", "seaborn's own labels", ('ax.set(xlabel="Level (dB)", ylabel="Notes (%)")', ""), variant="percent_histogram"),
    histogram("computed-only", "counted and not drawn", (None, 'counts, edges = np.histogram(notes["level"], bins=15)\ncounts')),
    histogram("error", "a column that there is not", ('notes["level"]', 'notes["loudness"]')),
    histogram("not-filled-in", "left as it was released", (None, "# YOUR CODE HERE\nraise NotImplementedError()")),
]

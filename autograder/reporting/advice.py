"""What a student can do about a cell that stopped."""

from __future__ import annotations

from autograder.grading.verdict import Stop

RERUN = "Then restart the kernel and run all cells from the top."

BY_END = {
    "not filled in": f"Replace the line that raises the error with your own code. {RERUN}",
    "time limit": f"Look for a loop that never ends, for a long pause, or for a call of input(). {RERUN}",
    "kernel ended": f"Remove what ends Python, such as exit() or quit(), or what needs too much memory. {RERUN}",
    "not run": "Look at the cell that ended the kernel first: this one could not be reached.",
}
BY_ERROR = {
    "NameError": "Check how the name is spelled, and whether a cell further up defines it.",
    "UnboundLocalError": "Give the variable a value on every path through the function before you use it.",
    "KeyError": "Look at the keys that there are, with print(list(x)), and use one of them.",
    "IndexError": "Compare the index with the length, len(x).",
    "AttributeError": "Check how the attribute is spelled, and of which type the object is, with print(type(x)).",
    "ModuleNotFoundError": "Use only the packages that the lab's first cells import.",
    "FileNotFoundError": "Read files from the lab's folder, by a path that is relative to the notebook.",
    "SyntaxError": "Look at the line and the one above for a missing bracket, quote or colon.",
    "IndentationError": "Indent the lines of a block alike, with spaces.",
    "TypeError": "Check what you pass: the number of arguments, and their types with print(type(x)).",
    "ValueError": "Print the values and shapes that go into this line, and compare them with what it expects.",
}


def next_step(stop: Stop) -> str:
    """Return a sentence or two on what to do next."""
    if stop.why != "error":
        return BY_END[stop.why]
    if stop.missing_module:
        return f"{BY_ERROR['ModuleNotFoundError']} {RERUN}"
    if stop.defined_in is not None:
        return f"Move what defines the name above this cell; cell number {stop.defined_in} does so now. {RERUN}"
    return f"{BY_ERROR.get(stop.error, 'Mend this line.')} {RERUN}"

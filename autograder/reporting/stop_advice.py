"""Advice for students on cells that stopped."""

from __future__ import annotations

from autograder.grading.verdict import Stop

RERUN = "Then restart the kernel and run all cells from the top."

BY_END = {
    "not filled in": f"Replace the line that raises the error with your own code. {RERUN}",
    "time limit": f"Look for an infinite loop, a long pause, or a call to input(). {RERUN}",
    "kernel ended": f"Remove code that ends Python, such as exit() or quit(), or that needs too much memory. {RERUN}",
    "not run": "First look at the earlier cell that made the kernel stop or took too long: this cell was not reached.",
}
BY_ERROR = {
    "NameError": "Check how the name is spelled, and whether a cell further up defines it.",
    "UnboundLocalError": "Assign a value to the variable on every path through the function before you use it.",
    "KeyError": "Print the existing keys with print(list(x)), and use one of them.",
    "IndexError": "Compare the index with the length, len(x).",
    "AttributeError": "Check how the attribute is spelled, and print the type of the object with print(type(x)).",
    "ModuleNotFoundError": "Use only the packages that the first cells of the notebook import.",
    "FileNotFoundError": "Read files from the folder of the notebook, with a relative path.",
    "SyntaxError": "Look at the line and the one above for a missing bracket, quote or colon.",
    "IndentationError": "Indent all lines of a block by the same number of spaces.",
    "TypeError": "Check the arguments that you pass: their number, and their types with print(type(x)).",
    "ValueError": "Print the values and shapes that this line uses, and compare them with what it expects.",
}


def next_step(stop: Stop) -> str:
    """Return one or two sentences about what to do next."""
    if stop.why != "error":
        return BY_END[stop.why]
    if stop.missing_module:
        return f"{BY_ERROR['ModuleNotFoundError']} {RERUN}"
    if stop.defined_in is not None:
        return f"Define the name above this cell; at present, only cell number {stop.defined_in} defines it. {RERUN}"
    return f"{BY_ERROR.get(stop.error, 'Correct this line.')} {RERUN}"

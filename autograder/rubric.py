"""The names that a module of checks imports: decorators, rules, random inputs, and the case to be graded.

A check is a function whose docstring is its sentence in the rubric::

    from autograder.rubric import arrays, close_to, item

    @item("rms", points=3)
    def test_root_mean_square(case):
        \"\"\"`rms` returns the root mean square of any array.\"\"\"
        for x in case.samples(arrays(float, (1, 200))):
            case.expect(case.call("rms", x), close_to((x**2).mean() ** 0.5), given=x)
"""

from autograder.grading.case import Case, NotChecked, Reply, Undecided, Wrong, forall, item, items, points
from autograder.grading.code import Code
from autograder.grading.rules import Rule, between, close_to, equal_to, satisfying, show
from autograder.grading.samples import arrays, integers, numbers, texts

__all__ = [
    "Case",
    "Code",
    "NotChecked",
    "Reply",
    "Rule",
    "Undecided",
    "Wrong",
    "arrays",
    "between",
    "close_to",
    "equal_to",
    "forall",
    "integers",
    "item",
    "items",
    "numbers",
    "points",
    "satisfying",
    "show",
    "texts",
]

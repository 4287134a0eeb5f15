"""Count how often nbgrader, Otter and this kit grade the same lab wrongly: `make compare-fidelity`.

`sample` chooses correct and wrong submissions from the corpora of the tests, `lab` makes the lab small enough for real
training and writes it as an assignment for nbgrader and for Otter, `asserts` contains the hidden tests of both,
`graders` grades one submission in each way, `results` stores and counts the results, and `page` shows them in
docs/fidelity.md.
"""

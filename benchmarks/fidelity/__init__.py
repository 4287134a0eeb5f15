"""How often nbgrader, Otter and this kit grade the same lab wrongly, counted: `make compare-fidelity`.

`sample` chooses right and wrong submissions from the corpora of the tests, `lab` makes the lab small enough to be
trained for real and writes it as an assignment of nbgrader and of Otter, `asserts` are the hidden tests of both,
`graders` grades one submission in each way, `results` keeps what came out and counts it, and `page` shows it in
docs/fidelity.md.
"""

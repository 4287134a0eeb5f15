"""Grades the lab by evidence.

The way of one submission, module by module: `submission` reads and repairs the notebook,
`challenge` draws what it will be asked, `runner` executes it in a kernel with the `bench` inside,
`evidence` is what comes out, `judge` lets pytest decide over it with the modules in `checks`,
`verdict` is the result, `books` and `gradebook` keep it, `feedback` and `report` show it.
"""

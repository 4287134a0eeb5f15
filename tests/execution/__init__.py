"""Running notebooks: kernels, instruments, the oracle, questions."""

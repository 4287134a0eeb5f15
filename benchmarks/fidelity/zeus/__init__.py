"""A stand-in for the energy library for the other graders: without a GPU, most submissions could not run."""

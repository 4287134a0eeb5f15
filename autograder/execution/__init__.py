"""Run a submission: its kernel, its sandbox, and the evidence of the run."""

"""Running a submission: its kernel, the sandbox around it, and the evidence that comes out."""

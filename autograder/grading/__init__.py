"""Judge a submission: from the evidence to the verdict."""

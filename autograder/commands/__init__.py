"""The commands: grading, validating a release, running the lab, measuring, starting a new term and others."""

"""Commands beside grading: checking a release, running the lab, measuring, and beginning a new term."""

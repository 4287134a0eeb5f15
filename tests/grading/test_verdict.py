"""Verdicts as they are kept on disk."""

from __future__ import annotations

import json

from autograder.grading.verdict import Verdict


def test_a_state_of_an_earlier_version_is_read_under_its_new_name() -> None:
    kept = {"assignment": "lab", "student": "ada", "state": "needs a person", "items": []}
    assert Verdict.model_validate_json(json.dumps(kept)).state == "needs review"

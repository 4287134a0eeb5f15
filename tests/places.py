"""The folders of the checkout, and of the course whose assignments the tests grade."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COURSE = ROOT / "tests" / "course"

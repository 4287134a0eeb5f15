"""Where the tests find the rest of the checkout, and the course whose assignments they grade."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COURSE = ROOT / "tests" / "course"

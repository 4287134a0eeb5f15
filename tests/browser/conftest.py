"""Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.program()
    if not path:
        pytest.skip("There is no Chromium: `make test-browser` fetches one, or name the program in CHROMIUM.")
    with sync_playwright() as playwright:
        found = chromium.launch(playwright, path)
        yield found
        found.close()

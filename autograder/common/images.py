"""The pictures from a notebook's outputs that pages may show."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

LARGEST = 3_000_000
"""Maximum number of characters of an encoded picture; a figure of this lab has about 50,000."""

PNG = b"\x89PNG\r\n\x1a\n"
"""How a PNG file begins."""


def picture(data: Mapping[str, Any]) -> str | None:
    """Return a data URI of the PNG picture in an output's data, None if there is none that can be shown.

    Other formats are ignored: an SVG picture is a document that can run scripts if it is opened by itself.
    """
    content = data.get("image/png")
    if not isinstance(content, str) or len(content) > LARGEST:
        return None
    try:
        decoded = base64.b64decode("".join(content.split()), validate=True)
    except ValueError:
        return None
    return f"data:image/png;base64,{base64.b64encode(decoded).decode()}" if decoded.startswith(PNG) else None

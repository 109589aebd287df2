"""Styles that hide what they are on, as elements of HTML and of wikitext say them."""

import re

_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)", re.IGNORECASE)


def hides(style: str | None) -> bool:
    """Whether an element of this ``style`` is not shown."""
    return bool(_HIDING.search(style or ""))

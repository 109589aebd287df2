"""Lone surrogates: halves of a character, which no UTF-8 text can hold."""

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def lone_surrogate(text: str) -> int | None:
    """The offset of the first lone surrogate in ``text``; None when there is none."""
    found = _SURROGATE.search(text)
    return None if found is None else found.start()

"""Where the blocks of a fragment of HTML stand, when not at anchors."""

import re
from html import unescape
from typing import Protocol

from retriever.types import Locator


class Places(Protocol):
    """Where the blocks of a fragment stand, when not at anchors."""

    def note(self, text: str) -> None:
        """Take in the text that comes next."""

    def locator(self) -> Locator | None:
        """Where it begins."""
        ...


class Nowhere:
    """Places that cannot be told."""

    def note(self, text: str) -> None:
        pass

    def locator(self) -> Locator | None:
        return None


_LOOKED_THROUGH = 64
"""Texts are looked for through so many times the length of a fragment; after that the line stays."""


class Lines:
    """Lines of a text file that a fragment is part of, by where its texts stand one after the other."""

    def __init__(self, fragment: str, first: int) -> None:
        # a text is in no tag, and written without entities
        blank = unescape(re.sub(r"<[^<>]*>", lambda tag: re.sub(r"[^\n]", " ", tag[0]), fragment))
        self._fragment, self._at, self._line = blank, 0, first
        self._left = _LOOKED_THROUGH * len(blank)

    def note(self, text: str) -> None:
        seen = text.strip().split("\n")[0]
        at = self._fragment.find(seen, self._at) if self._left > 0 else -1
        self._left -= (at if at >= 0 else len(self._fragment)) - self._at
        if at >= 0:  # a text whose white space was folded is not found
            self._line += self._fragment.count("\n", self._at, at)
            self._at = at

    def locator(self) -> Locator | None:
        return Locator.line(self._line)

"""Lists of HTML: what marks their items."""

import re

from selectolax.lexbor import LexborNode

from extraction.numerals import MOST, roman


class HtmlList:
    """A list that is being walked: what marks its next item."""

    def __init__(self, number: int | None, style: str, step: int = 1) -> None:
        self._number, self._style, self._step = number, style, step

    @classmethod
    def of(cls, node: LexborNode) -> "HtmlList":
        if node.tag != "ol":
            return cls(None, "")
        backwards = "reversed" in node.attributes
        first = sum(child.tag == "li" for child in node.iter()) if backwards else 1
        start = whole_number(node.attributes.get("start"), first)
        return cls(start, node.attributes.get("type") or "1", -1 if backwards else 1)

    def next_marker(self, item: LexborNode) -> str:
        """The item's number as the page shows it; nothing in a list without numbers."""
        if self._number is None:
            return ""
        number = whole_number(item.attributes.get("value"), self._number)
        self._number = number + self._step
        return f"{_numeral(number, self._style)}."


def _numeral(number: int, style: str) -> str:
    if style in ("a", "A") and 1 <= number <= 26:
        return chr(ord(style) + number - 1)
    if style in ("i", "I") and 1 <= number <= MOST:
        return roman(number) if style == "i" else roman(number).upper()
    return str(number)


def whole_number(text: str | None, otherwise: int) -> int:
    """The number that an attribute holds; ``otherwise`` where it holds none."""
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,9}", text) else otherwise

"""What differs between a quote and the real text nearest to it, said in words: what turns a sentence round is named."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import TypeVar

from quote_check.folding import folded
from quote_check.searched_text import words

_NEGATIONS = frozenset({"not", "no", "never", "none", "nor", "neither", "cannot", "without", "t"})
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_TOKEN = re.compile(r"(?P<word>\w+)|(?P<minus>(?<![\w)\]])-(?=\.?\d))|\S")
"""A "-" elsewhere is a hyphen or a dash."""
_QUOTATION_MARKS = "\"'‹›「」『』"
_BORDER = f" ()[]{{}}.,;:!?{_QUOTATION_MARKS}"
_PERCENT = "%‰"  # Unicode calls them punctuation

_Item = TypeVar("_Item")


def difference(quote: str, text: str) -> str:
    """What differs beyond looks, for a reader: words, and whether a number or a negation is among them; signs such as
    ``-`` and ``%``; or marks alone. What stands around the two is no part of them.
    """
    quote, text = folded(quote).strip(_BORDER), folded(text).strip(_BORDER)
    quoted, standing = words(quote), words(text)
    differing = _either(Counter(quoted), Counter(standing))
    if differing:
        signs = _either(Counter(sign for _, sign in _signs(quote)), Counter(sign for _, sign in _signs(text)))
        among = _among(differing, quote, text)
        return f"some words differ{among}" + (f", and signs: {' '.join(sorted(signs))}" if signs else "")
    if quoted != standing:
        return "some words stand in another order"
    return f"no word differs, but {_marks(quote, text)}"


def _among(differing: Counter[str], quote: str, text: str) -> str:
    if any(character.isdigit() for word in differing for character in word) or _numbers_differ(quote, text):
        return ", a number among them"
    return ", a negation among them" if _NEGATIONS & differing.keys() else ""


def _marks(quote: str, text: str) -> str:
    """What differs between texts of the same words."""
    moved = _either(Counter(_signs(quote)), Counter(_signs(text)))
    if moved:
        return f"signs do: {' '.join(sorted({sign for _, sign in moved}))}"
    if _numbers_differ(quote, text):
        return "how a number is written does"
    if "".join(quote.split()) == "".join(text.split()):
        return "white space does"
    without = str.maketrans("", "", _QUOTATION_MARKS)
    if quote.translate(without) == text.translate(without):
        return "quotation marks do"
    return "punctuation does"


def _numbers_differ(quote: str, text: str) -> bool:
    return Counter(_NUMBER.findall(quote)) != Counter(_NUMBER.findall(text))


def _signs(text: str) -> Iterator[tuple[int, str]]:
    """The signs of a folded text, each with the number of words before it."""
    before = 0
    for token in _TOKEN.finditer(text):
        if token["word"]:
            before += 1
        elif token["minus"] or token[0] in _PERCENT or unicodedata.category(token[0]).startswith("S"):
            yield before, token[0]


def _either(one: Counter[_Item], other: Counter[_Item]) -> Counter[_Item]:
    """What one of them has more of."""
    return (one - other) + (other - one)

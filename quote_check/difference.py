"""What differs between a quote and the real text nearest to it, said in words: what turns a sentence round is named."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeVar

from quote_check.folding import folded
from quote_check.searched_text import words

_NEGATIONS = frozenset({"not", "no", "never", "none", "nor", "neither", "cannot", "without", "t"})
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_WITHOUT_MARKS = re.compile(r"\w+")
_QUOTATION_MARKS = "\"'‹›「」『』"
_BORDER = f" ()[]{{}}.,;:!?{_QUOTATION_MARKS}"
_PERCENT = "%‰"  # Unicode calls them punctuation

_Item = TypeVar("_Item")


def difference(quote: str, text: str) -> str:
    """What differs beyond looks, for a reader: words, and whether numbers or negations are among them; signs such as
    ``-`` and ``%``; or marks alone. The marks around the two are told where nothing else differs.
    """
    inner, standing = _inner(quote), _inner(text)
    if inner == standing:
        return "no word differs, but the marks at its beginning or end do"
    quoted_words, standing_words = _words(inner), _words(standing)
    differing = _either(Counter(quoted_words), Counter(standing_words))
    signs = _listed(_either(_kinds_of_signs(inner), _kinds_of_signs(standing)))
    if differing:
        among = _among(differing, inner, standing)
        return f"some words differ{among}" + (f", and signs: {signs}" if signs else "")
    if quoted_words != standing_words:
        numbers = "; numbers differ" if _numbers_differ(inner, standing) else ""
        return f"some words stand in another order{numbers}" + (f"; signs differ: {signs}" if signs else "")
    return f"no word differs, but {_marks(quote, text)}"


def _inner(text: str) -> str:
    """The text folded and composed, without the marks around it."""
    return unicodedata.normalize("NFC", folded(text)).strip(_BORDER)


def _words(text: str) -> list[str]:
    """As ``words``, but one with combining marks is whole: another vowel sign, another word."""
    runs = re.findall(_word(text), text)
    return [word for run in runs for word in (words(run) if _WITHOUT_MARKS.fullmatch(run) else [run])]


def _word(text: str) -> str:
    """The pattern of the text's words, to which the combining marks in them belong."""
    return rf"\w[\w{_combining(text)}]*"


def _combining(text: str) -> str:
    """The text's vowel signs, tones and the like that no letter is composed with, each once."""
    return "".join(sorted(each for each in set(text) if unicodedata.category(each).startswith("M")))


def _among(differing: Counter[str], quote: str, text: str) -> str:
    kinds = ["a number"] if _numbers_differ(quote, text) else []
    kinds += ["a negation"] if _NEGATIONS & differing.keys() else []
    return f", {' and '.join(kinds)} among them" if kinds else ""


def _marks(quote: str, text: str) -> str:
    """What differs between texts of the same words."""
    inner, standing = _inner(quote), _inner(text)
    moved = _either(Counter(_signs(inner)), Counter(_signs(standing)))
    if moved:
        return f"signs do: {_listed(sign for _, sign in moved)}"
    if _numbers_differ(inner, standing):
        return "how a number is written does"
    if "".join(inner.split()) == "".join(standing.split()):
        return "white space does"
    without = str.maketrans("", "", _QUOTATION_MARKS)
    # folding makes a backtick a quotation mark, but it may mark code
    only_backticks = _inner(quote.replace("`", "")) == _inner(text.replace("`", ""))
    if inner.translate(without) == standing.translate(without) and not only_backticks:
        return "quotation marks do"
    return "punctuation does"


def _numbers_differ(quote: str, text: str) -> bool:
    return Counter(_NUMBER.findall(quote)) != Counter(_NUMBER.findall(text))


def _signs(text: str) -> Iterator[tuple[int, str]]:
    """The signs of a folded text, each with the number of words before it."""
    hyphen_after = rf"[\w{_combining(text)})\]]"  # any other "-" before a number is a minus
    tokens = rf"(?P<word>{_word(text)})|(?P<minus>(?<!{hyphen_after})-(?=\.?\d))|\S"
    before = 0
    for token in re.finditer(tokens, text):
        if token["word"]:
            before += 1
        elif token["minus"] or token[0] in _PERCENT or unicodedata.category(token[0]).startswith("S"):
            yield before, token[0]


def _kinds_of_signs(text: str) -> Counter[str]:
    return Counter(sign for _, sign in _signs(text))


def _listed(signs: Iterable[str]) -> str:
    return " ".join(sorted(set(signs)))


def _either(one: Counter[_Item], other: Counter[_Item]) -> Counter[_Item]:
    """What one of them has more of."""
    return (one - other) + (other - one)

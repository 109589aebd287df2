"""Where sentences end within a run of text: what the ``sentencex`` library finds, put right by rules.

The library knows abbreviations and many scripts. The rules join what it parts wrongly (before a lower-case letter,
after "Fig." before a number, within a name) and part what it joins wrongly ("in May. Nobody", "at 61.3%. That").

It is given a stand-in of equal length, in which every whitespace character is a plain space: it cannot take some
of the others. It is also given at most ``WINDOW`` characters at a time, because its time grows with the square of
the text's length.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

from sentencex import segment

from retriever.text.abbreviations import (
    BEFORE_ANYTHING,
    BEFORE_NUMBER,
    CLASSES,
    LOWER_CASE,
    MAY_END,
    NAMES_WITH_MARK,
    UNITS,
)

WINDOW = 2048
"""Characters that the sentence library sees at a time; a sentence may be longer."""

_SEEN = 48  # characters on each side of a place that the rules look at
_LANGUAGE = "en"
_ODD_CHARACTER = re.compile(r"[^\S ]|[\ud800-\udfff]")
_PLAIN_BOUNDARY = re.compile(r"[.!?…]['\")\]’”]*\s+|[。！？]")
_INLINE_CODE = re.compile(r"`[^`\n]{1,200}`")

# A mark, what closes after it, white space, and what may begin a sentence.
_POSSIBLE_END = re.compile(r"[.!?…][\"'”’)\]*_]*(?:\s?\[\d+\])*+\s++(?=[(\[]?[\"'“‘]*[^\W_a-z]|[$€£])")
_WITHOUT_SPACE = "。！？｡」』”）"

_STARTERS = re.compile(
    r"[\"'“‘]*(?:A|According|After|All|Although|Among|An|And|Another|As|At|Because|Before|Between|Both|But|By|Despite"
    r"|During|Each|Following|For|From|Given|He|Hence|Her|Here|His|How|However|I|If|In|It|Its|Later|Many|Most|My|Nobody"
    r"|Not|Now|On|Once|One|Only|Or|Our|She|Since|So(?=,)|Some|Such|That|The|Their|Then|There|Therefore|These|They|This"
    r"|Those|Thus|Together|Two|Under|Unlike|Until|We|What|When|Where|While|Who|Why|With|Within|Without|You|Your)"
    r"\b(?![.'’-])"
)

_NUMBER = re.compile(r"\d|(?:[IVXLC]{2,}|[VX])\b")
_THE_MAN = re.compile(r"The Man\b")
# A bracket that holds a sentence, or several: what follows it begins large, and a full stop stands before its end.
_BRACKETED = re.compile(
    r"[(\[][\"'“‘]*[^\W\d_a-z](?:[^()\[\]]|\([^()\[\]]{0,200}+\)){0,400}+"
    r"(?:(?<=[.!?…])|(?<=[.!?…][\"'”’]))[)\]]"
)
_LINK = re.compile(r"\[[^\W_a-z][^\]\n]*\]\(")
_LETTERS_WITH_STOPS = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]")
_INITIAL = re.compile(r"[A-HJ-Z]")  # "I" alone is a numeral as often
_SURE_END = re.compile(r"(?:[%\"'’”)\]]|\d)\.$|[^.\s]…$|[.!?][\"'”’)\]*_]+$|[.!?][\"'”’)]*(?:\s?\[\d+\])+$")


def boundaries(text: str, start: int, end: int) -> Iterator[int]:
    """Where sentences start strictly between ``start`` and ``end``, ascending. Linear in time."""
    code = [match.span() for match in _INLINE_CODE.finditer(text, start, end)]
    starts = [first for first, _ in code]
    proposed = set(_proposed(text, start, end))
    possible = {match.end() for match in _POSSIBLE_END.finditer(text, start, end)} - {end}
    for at in sorted(proposed | possible):
        inside = bisect_right(starts, at) - 1
        if inside >= 0 and at < code[inside][1]:
            continue
        if not _joins(text, start, at) if at in proposed else _parts(text, start, at):
            yield at


def _joins(text: str, start: int, at: int) -> bool:
    """Whether a place where the library parts two sentences is within one."""
    before, after = _around(text, start, at)
    first = after[:1]
    if not text[at - 1].isspace() and text[at - 1] not in _WITHOUT_SPACE:
        return not (before[-2:-1].islower() and before.endswith(".") and _STARTERS.match(after))
    if first.islower() or (first in ("(", "[") and not _BRACKETED.match(text, at) and not _LINK.match(after)):
        return True
    return _abbreviates(before, after.lstrip("(["))


def _parts(text: str, start: int, at: int) -> bool:
    """Whether a place that the library passed over ends a sentence."""
    before, after = _around(text, start, at)
    if after[:1] in ("(", "[") and not _BRACKETED.match(text, at):
        return False
    after = after.lstrip("([")
    if after[:1].islower() or _abbreviates(before, after):
        return False
    if _SURE_END.search(before):
        return True
    word, earlier = _last_words(before)
    if word.islower() and word.isalpha() and word not in LOWER_CASE and len(word) > 1:
        return True
    return (
        (word in UNITS and earlier[-1:].isdigit())
        or (word[:1].isdigit() and word.lstrip("0123456789") in UNITS)
        or _names_class(word, earlier)
        or word in BEFORE_NUMBER
        or word in ("May", "etc")
        or bool(_STARTERS.match(after))
    )


def _around(text: str, start: int, at: int) -> tuple[str, str]:
    return text[max(start, at - _SEEN) : at].rstrip(), text[at : at + _SEEN]


def _last_words(before: str) -> tuple[str, str]:
    """The last word without the full stop that ends it and opening marks, and the word before it."""
    earlier, word = ("", "", *before.rsplit(maxsplit=2))[-2:]
    return word.removesuffix(".").lstrip("([\"'“‘"), earlier


def _abbreviates(before: str, after: str) -> bool:
    """Whether the mark that ``before`` ends with is part of an abbreviation or a name, seen what follows."""
    word, earlier = _last_words(before)
    if word in NAMES_WITH_MARK:
        return not _STARTERS.match(after)
    if not before.endswith("."):
        return False
    if word.lower() in BEFORE_ANYTHING:
        return True
    if word in BEFORE_NUMBER and _NUMBER.match(after):
        return True
    if word == "Portugal":
        return bool(_THE_MAN.match(after))
    abbreviated = word in MAY_END or _LETTERS_WITH_STOPS.fullmatch(word) or _INITIAL.fullmatch(word)
    return bool(abbreviated) and not _STARTERS.match(after) and not _names_class(word, earlier)


def _names_class(word: str, earlier: str) -> bool:
    """Whether the word is a letter that names one of several, as in "vitamin C"."""
    return len(word) == 1 and earlier.lower() in CLASSES


def _proposed(text: str, start: int, end: int) -> Iterator[int]:
    """What the library finds strictly between ``start`` and ``end``, window by window.

    The last sentence of a full window may be cut short by the window, so the next window starts with it.
    """
    while end - start > WINDOW:
        *sentences, rest = _segments(text[start : start + WINDOW])
        if not sentences:
            start += len(rest) - len(_last_word(rest))
        for sentence in sentences:
            start += len(sentence)
            yield start
    for sentence in _segments(text[start:end])[:-1]:
        start += len(sentence)
        yield start


def _last_word(window: str) -> str:
    """What follows the last space of ``window``; empty when it has none, or none in its second half."""
    space = window.rfind(" ", len(window) // 2)
    return "" if space < 0 else window[space + 1 :]


def _segments(block: str) -> list[str]:
    """``block`` in sentences, whitespace made spaces; at least one, equal in total length."""
    plain = _ODD_CHARACTER.sub(" ", block)
    sentences = _library_segments(plain)
    if "".join(sentences) != plain or not sentences:
        sentences = _plain_segments(plain)
    return sentences


def _library_segments(plain: str) -> list[str]:
    """What the library finds; nothing when it fails inside, which it reports outside of ``Exception``."""
    try:
        return list(segment(_LANGUAGE, plain))
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return []


def _plain_segments(plain: str) -> list[str]:
    """Sentences by their closing marks alone: what is used where the library loses characters or fails."""
    ends = [match.end() for match in _PLAIN_BOUNDARY.finditer(plain)]
    return [plain[start:end] for start, end in pairwise([0, *ends, len(plain)]) if start < end] or [plain]

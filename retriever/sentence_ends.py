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
from heapq import merge
from itertools import pairwise

from sentencex import segment

WINDOW = 2048
"""Characters that the sentence library sees at a time; a sentence may be longer."""

_SEEN = 48  # characters on each side of a place that the rules look at
_LANGUAGE = "en"
_ODD_CHARACTER = re.compile(r"[^\S ]|[\ud800-\udfff]")
_PLAIN_BOUNDARY = re.compile(r"[.!?…]['\")\]’”]*\s+|[。！？]")
_INLINE_CODE = re.compile(r"`[^`\n]{1,200}`")

# A mark, what closes after it, white space, and what may begin a sentence.
_POSSIBLE_END = re.compile(r"[.!?…][\"'”’)\]*_]*(?:\s?\[\d+\])*+\s++(?=[\"'“‘]*[^\W_a-z]|[$€£])")
_WITHOUT_SPACE = "。！？｡」』”）"

_STARTERS = re.compile(
    r"[\"'“‘]*(?:A|After|All|Although|An|And|Another|As|At|Because|Before|Both|But|By|During|Each|For|From|He|Her|Here"
    r"|His|How|However|I|If|In|It|Its|Later|Many|Most|My|Nobody|Not|Now|On|Once|One|Only|Or|Our|She|Since|Some|Such"
    r"|That|The|Their|Then|There|These|They|This|Those|Two|Under|Until|We|What|When|Where|While|Who|Why|With|Without"
    r"|You|Your)\b(?![.'’-])"
)

_BEFORE_ANYTHING = re.compile(r"(?<!\w)(?:e\.\s?g|i\.\s?e|cf|vs|viz|v|ca|approx)\.$", re.IGNORECASE)
_BEFORE_NUMBER = re.compile(
    r"(?<!\w)(?:No|Nos|Fig|Figs|Sec|Secs|Op|Art|Eq|Eqs|Ch|Vol|Vols|Pt|Para|Ex|Tab|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept"
    r"|Oct|Nov|Dec|no|nos|fig|figs|sec|op|art|eq|ch|vol|vols|pt|para|p|pp|ll?|c|b|d|r|fl|est|ed)\.$"
)
_NUMBER = re.compile(r"[\dIVXLC]")
_MAY_END = re.compile(
    r"(?<!\w)(?:(?:[A-Za-z]\.\s?)+[A-Za-z]|Ph\.D|Inc|Ltd|Corp|Co|Bros|Jr|Sr|St|Ave|Blvd|Rd|Mt|Ft|Dr|Mr|Mrs|Ms|Mme|Prof"
    r"|Gen|Lt|Col|Rev|Sen|Rep|Capt|Sgt|Maj|Adm|Gov|Pres|Hon|Messrs)\.$"
)
_INITIAL = re.compile(r"(?<!\w)[A-Z]\.$")
_CLASS_LETTER = re.compile(
    r"(?<!\w)(?:class|exit|figure|gate|got an?|grade|group|hepatitis|influenza|level|option|part|phase|plan|point|room"
    r"|section|step|team|type|unit|vitamin|ward) [A-Z]\.$",
    re.IGNORECASE,
)
_NAME_WITH_MARK = re.compile(
    r"(?<!\w)(?:Yahoo!|Yum!|Jeopardy!|E!|Portugal\.(?=$)|Godspeed You!|Panic!|Therapy\?|Mamma Mia!)$"
)
_AFTER_PORTUGAL = re.compile(r"The Man\b")

_LOWER_ABBREVIATION = re.compile(
    r"(?<!\w)(?:al|approx|ca|cf|ed|eds|esp|est|etc|fl|incl|max|resp|trans|viz|vs|[a-z])\.$"
)
_LOWER_WORD = re.compile(r"(?<![\w.])[^\W\d_A-Z]+\.$")
_UNIT = re.compile(r"\d\s?(?:°[CF]|min|sec|hr|hrs|h|s|ft|in|lb|lbs|oz|mi|km|m|cm|mm|kg|g|mg|l|ml)\.$")
_SURE_END = re.compile(r"(?:[%°”\"'’)\]]|\d)\.$|[^.\s]…$|[.!?][\"'”’)\]*_]+$|\betc\.$")
_NUMBERED_WORD_ENDS = re.compile(r"(?<!\w)(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|No|Art)\.$")


def boundaries(text: str, start: int, end: int) -> Iterator[int]:
    """Where sentences start strictly between ``start`` and ``end``, ascending. Linear in time."""
    code = [match.span() for match in _INLINE_CODE.finditer(text, start, end)]
    starts = [first for first, _ in code]
    proposed = (at for at in _proposed(text, start, end) if not _joins(text, start, at))
    added = (at for at in _possible(text, start, end) if _parts(text, start, at))
    last = start
    for at in merge(proposed, added):
        inside = bisect_right(starts, at) - 1
        if at > last and not (inside >= 0 and at < code[inside][1]):
            yield at
            last = at


def _possible(text: str, start: int, end: int) -> Iterator[int]:
    return (match.end() for match in _POSSIBLE_END.finditer(text, start, end) if match.end() < end)


def _joins(text: str, start: int, at: int) -> bool:
    """Whether a place where the library parts two sentences is within one."""
    before, after = _around(text, start, at)
    if not text[at - 1].isspace() and text[at - 1] not in _WITHOUT_SPACE:
        return True
    if after[:1].islower() or after[:1] in ("(", "["):
        return True
    return _abbreviates(before, after)


def _parts(text: str, start: int, at: int) -> bool:
    """Whether a place that the library passed over ends a sentence."""
    before, after = _around(text, start, at)
    if _abbreviates(before, after) or after[:1].islower():
        return False
    if _CLASS_LETTER.search(before) or _UNIT.search(before) or _SURE_END.search(before):
        return True
    if _LOWER_WORD.search(before):
        return not _LOWER_ABBREVIATION.search(before)
    return bool(_NUMBERED_WORD_ENDS.search(before) or _STARTERS.match(after))


def _around(text: str, start: int, at: int) -> tuple[str, str]:
    return text[max(start, at - _SEEN) : at].rstrip(), text[at : at + _SEEN]


def _abbreviates(before: str, after: str) -> bool:
    """Whether the mark that ``before`` ends with is part of an abbreviation or a name, seen what follows."""
    if _BEFORE_ANYTHING.search(before):
        return True
    if _BEFORE_NUMBER.search(before) and _NUMBER.match(after):
        return True
    if before.endswith("Portugal."):
        return bool(_AFTER_PORTUGAL.match(after))
    if _STARTERS.match(after) or _CLASS_LETTER.search(before):
        return False
    return bool(_MAY_END.search(before) or _INITIAL.search(before) or _NAME_WITH_MARK.search(before))


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

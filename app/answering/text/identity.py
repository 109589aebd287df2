"""When two answers are one answer: what they are called may differ in form, never in what it says.

This is stricter than SQuAD's normalisation (``normalise_answer``), which is for scoring: there ``-5 °C`` is ``5 °C``,
``C++`` is ``C#``, and ``A`` is nothing at all.
"""

import re
import unicodedata

_ARTICLE = re.compile(r"(?:a|an|the) (?!the$)(?=.)")
_INVISIBLE = frozenset({"Cf", "Cc"})  # categories: soft hyphens, zero-width characters, controls
_DASHES = str.maketrans(
    dict.fromkeys("‐‑‒–—−﹣－", "-") | dict.fromkeys("’‘`´", "'") | dict.fromkeys("“”„«»", '"')
)
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BESIDE_SIGN = re.compile(r"(?<=\d) (?=[%°‰])|(?<=°) (?=[cf]\b)|(?<=[$€£¥]) (?=\d)")
_BETWEEN_NUMBERS = re.compile(r"(?<=\d) ?([-:]) ?(?=\d)")
_BEFORE_UNIT = re.compile(
    r"(?<=\d)(?=(?:[kcm]m|[km]g|[kmgt]b|[kmg]?hz|[km]w|ml|lbs?|ft|mi|mph|am|pm|bn)\b)"  # not 5g, not 3d
)
_INITIALS = re.compile(r"\b[^\W\d]\.(?: ?[^\W\d]\.)+|\b[^\W\d]\.(?= )")
_TITLE = re.compile(r"\b(?:dr|mr|mrs|ms|st|jr|sr|prof|inc|ltd|co|corp|vs|no)\.(?= |$)")
_BETWEEN_WORDS = re.compile(r"(?<=[^\W\d])-(?=[^\W\d])|[,;:](?=\s)")
_OUTER = "\"'()[]{}.,;:!?…* "
_PRIMES = "'\""  # 6' and 6", feet and inches
_KEPT_BEFORE = re.compile(r"\.\w")  # .NET, .5


def answer_identity(answer: str) -> str:
    """What two answers share if and only if they count as one; empty when nothing is said.

    Letter case, white space, invisible characters, compatibility forms, kinds of dashes and quotation marks, marks
    around the answer, a leading article before other words, hyphens between words, commas that group digits, dots of
    initials and titles, and space between a number and its unit or sign make no difference. Signs, units, decimals and
    the marks of a name do.
    """
    folded = unicodedata.normalize("NFKC", answer).translate(_DASHES)
    seen = "".join(
        character if not _is_invisible(character) else " " if character.isspace() else ""
        for character in folded
    )
    text = _GROUPED.sub("", " ".join(seen.casefold().split()))
    text = _INITIALS.sub(lambda initials: initials[0].replace(".", "").replace(" ", ""), text)
    text = _TITLE.sub(lambda title: title[0][:-1], text)
    text = _BEFORE_UNIT.sub(" ", _BETWEEN_NUMBERS.sub(r"\1", _BESIDE_SIGN.sub("", text)))
    text = _without_outer_marks(text)
    text = _ARTICLE.sub("", text, count=1) if _ARTICLE.match(text) else text
    return _without_outer_marks(" ".join(_BETWEEN_WORDS.sub(" ", text).split()))


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE


def _without_outer_marks(text: str) -> str:
    ended = text.rstrip(_OUTER)
    mark = text[len(ended) : len(ended) + 1]
    if mark and mark in _PRIMES and ended[-1:].isdecimal() and text.count(mark) % 2:
        ended += mark
    begun = ended.lstrip(_OUTER)
    dropped = len(ended) - len(begun)
    return begun if not dropped or not _KEPT_BEFORE.match(ended, dropped - 1) else ended[dropped - 1 :]

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
_BEFORE_UNIT = re.compile(r"(?<=\d)\s+(?=[%°‰])|(?<=°)\s+(?=[cf]\b)")
_BETWEEN_WORDS = re.compile(r"(?<=[^\W\d])-(?=[^\W\d])|[,;:](?=\s)")
_OUTER = "\"'()[]{}.,;:!?…* "
_KEPT_BEFORE = re.compile(r"\.\w")  # .NET, .5


def answer_identity(answer: str) -> str:
    """What two answers share if and only if they count as one; empty when nothing is said.

    Letter case, white space, invisible characters, compatibility forms, kinds of dashes and quotation marks, marks
    around the answer, a leading article before other words, hyphens between words and commas that group digits make
    no difference. Signs, units, decimals and the marks of a name do.
    """
    folded = unicodedata.normalize("NFKC", answer).translate(_DASHES)
    seen = "".join(
        character if not _is_invisible(character) else " " if character.isspace() else ""
        for character in folded
    )
    text = _GROUPED.sub("", " ".join(seen.casefold().split()))
    text = " ".join(_BETWEEN_WORDS.sub(" ", _BEFORE_UNIT.sub("", text)).split())
    text = _without_outer_marks(text)
    return _ARTICLE.sub("", text, count=1) if _ARTICLE.match(text) else text


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE


def _without_outer_marks(text: str) -> str:
    ended = text.rstrip(_OUTER)
    begun = ended.lstrip(_OUTER)
    dropped = len(ended) - len(begun)
    return begun if not dropped or not _KEPT_BEFORE.match(ended, dropped - 1) else ended[dropped - 1 :]

"""Where words and numbers end: a quote that begins or ends inside one may say the opposite of its text.

``legal to park`` stands in "illegal to park", ``5 million`` in "15 million", ``10 degrees`` in "-10 degrees".
"""

import re
import unicodedata

import numpy as np

from quote_check.searched_text import UNSPACED
from retriever.text.folding import fold
from retriever.types import Span

_SEEN = 48  # characters on each side of a place
_RAISED = "¹²³⁰-⁹⁺⁻₀-₉"  # after a letter they may be a note's number
_PART = (  # of a word or number; in scripts without spaces a quote may begin and end anywhere
    rf"[^\W_{_RAISED}{UNSPACED}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3100-\u312f\uff66-\uff9f\U00020000-\U0003ffff]"
)
_AFTER_A_SPACE = re.compile("[!-~] ")  # most places are: no word goes on there
_WHOLE = re.compile(
    rf"""
    (?:[+\-‐‑–−±~≈<>≤≥$€£¥]{{1,3}}(?=\.?\d))?(?:\.(?=\d))?   # signs before a number
    {_PART}+
    (?:
        [-‐‑](?:[ \t]*\r?\n[ \t]*)?{_PART}+                 # non-toxic, 1914-1918
      | (?<=\d)[.,:/–\u00a0\u202f](?=\d){_PART}+            # 1,500.75, 10:30, 1/2, 1914–1918
    )*
    (?:['’](?={_PART})|(?<=\d)[%‰°+{_RAISED}]+)?             # can't, 10%, 10⁶
    """,
    re.VERBOSE,
)


def in_whole_words(text: str, span: Span) -> bool:
    """Whether no word or number of the text is parted where the span begins and ends.

    Words go on after a hyphen, and before an apostrophe. Numbers have what stands in them and the signs beside them.
    """
    return not (inside_word(text, span.start) or inside_word(text, span.end))


def inside_word(text: str, at: int) -> bool:
    """Whether a word or number goes on across the place before the character ``at``; see ``in_whole_words``."""
    if not 0 < at < len(text) or text[at] in " \r\n" or _AFTER_A_SPACE.match(text, max(0, at - 2), at):
        return False
    low = max(0, at - _SEEN)
    read = fold(text[low : at + _SEEN])  # what is not seen parts nothing
    place = at - low if read.starts is None else int(np.searchsorted(read.starts, at - low))
    return any(run.start() < place < run.end() for run in _WHOLE.finditer(_with_letters_for_marks(read.text)))


def _with_letters_for_marks(text: str) -> str:
    """The text with the letter before them in place of combining marks."""
    if text.isascii():
        return text
    letters: list[str] = []
    for character in text:
        is_mark = letters and unicodedata.category(character).startswith("M")
        letters.append(letters[-1] if is_mark else character)
    return "".join(letters)

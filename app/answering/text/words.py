"""Whether there is anything to read in a text."""

import re

MAX_WORD_CHARACTERS = 64
"""Letters and digits in a row that can be a word: the longest of a dictionary has fewer."""

_WORD = re.compile(rf"(?<!\w)\w{{1,{MAX_WORD_CHARACTERS}}}(?!\w)")


def has_words(text: str) -> bool:
    """Whether it holds a word: without one it is a run of one sign or of code, and answers nothing."""
    return _WORD.search(text) is not None

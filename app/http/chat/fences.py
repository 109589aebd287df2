"""Fenced blocks of a message: what stands in them is handed in, what stands around them is said."""

import re

_FENCE = re.compile(
    r"""
    ^[ ]{0,3} (?P<mark>`{3,}+(?![^\r\n]*`)|~{3,}+) [^\r\n]* (?:\r\n|\r|\n)  # the opening line may name a language
    (?P<text>.*?)
    (?:^[ ]{0,3} (?P=mark)[`~]* [ \t]* (?=[\r\n]|\Z) | \Z)  # the closing line; without one it runs to the end
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


def divided(message: str) -> tuple[str, list[str]]:
    """What stands around the fenced blocks of a message, and what stands in each that is not blank.

    A fence is a line of at least three backticks or tildes, as in Markdown. The texts are the message's own
    characters, without the last line end before the closing line.
    """
    texts = [_without_last_line_end(fence["text"]) for fence in _FENCE.finditer(message)]
    return _FENCE.sub(" ", message), [text for text in texts if text.strip()]


def _without_last_line_end(text: str) -> str:
    return re.sub(r"(?:\r\n|\r|\n)\Z", "", text)

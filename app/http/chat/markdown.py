"""Texts of documents within Markdown: shown as they are, whatever marks they hold."""

import re
from urllib.parse import quote, urlsplit

# An underscore within a word marks nothing, so that names such as max_waiting stay readable where marks are not.
_MARKS = re.compile(r"[\\`*\[\]<>&~|$]|(?<![^\W_])_|_(?![^\W_])")


def inert(text: str) -> str:
    """The text on one line, so that a reader sees its characters: nothing in it is a mark, a link or a picture."""
    return _MARKS.sub(lambda mark: f"\\{mark[0]}", " ".join(text.split()))


LINE_END = "  \n"
"""Ends a line where it stands: a line end alone is shown as a space."""

# What a line may begin with and is no mark elsewhere: of a heading, of an item, or under a heading.
_OPENING = re.compile(r"(?=[-+#=]+(?:\s|$))|(\d{1,9})(?=[.)](?:\s|$))")


def inert_line(text: str) -> str:
    """The same for a text that begins a line."""
    line = inert(text)
    opening = _OPENING.match(line)
    return f"{opening[0]}\\{line[opening.end() :]}" if opening else line


def link(text: str, url: str) -> str:
    """A link that says ``text``."""
    return f"[{inert(text)}]({quote(url, safe=_SAFE)})"


_SAFE = "%/:?#@!$&'*+,;=~"


def is_web_address(url: str | None) -> bool:
    """Whether a chat program may offer it as a link."""
    try:
        return url is not None and urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return False

"""Text files that are reStructuredText by another name, as all of Django's documentation is."""

import re
from itertools import islice

from common.lines import lines_of
from extraction.encodings import decoded
from extraction.extracted import Extracted, UnreadableError
from extraction.markup.rst import extract_rst
from extraction.text import extract_text

_LEAST = 2  # marks
_LOOKED_AT = 200_000  # characters
_MARK = re.compile(
    r"^[ \t]*\.\.[ \t](?:[a-zA-Z][\w:.+-]*::(?:[ \t]|$)|_[^\n:]+:(?:[ \t]|$))"  # a directive, a target
    r"|(?<![\w`:]):[a-zA-Z][\w:.+-]*:`[^`\n]+`"  # a role
    r"|(?<![\w`])`[^`<>]{1,200}<[^<>`\s]+>`__?(?!\w)",  # a link
    re.MULTILINE,
)
_CONTENTS = re.compile(r"^\.\. toctree::[ \t]*$", re.MULTILINE)
_HEADING = re.compile(r"^(?=\S)(?P<title>[^\n]+)\n(?P<mark>[=~^*#+.\"'-])(?P=mark){2,}[ \t]*$", re.MULTILINE)


def extract_text_or_rst(content: bytes) -> Extracted:
    """The text, character for character; what is unmistakably reStructuredText, and can be read so, without its marks.

    It is where it has a heading with a line of marks below, and two directives, roles, targets or links, or a table of
    contents.
    """
    if _is_rst("\n".join(lines_of(decoded(content)[:_LOOKED_AT]))):
        try:
            return extract_rst(content)
        except UnreadableError:
            pass
    return extract_text(content)


def _is_rst(text: str) -> bool:
    headings = (
        found for found in _HEADING.finditer(text) if len(found[0]) >= 2 * len(found["title"].rstrip())
    )
    marks = sum(1 for _ in islice(_MARK.finditer(text), _LEAST))
    return any(headings) and (marks == _LEAST or bool(_CONTENTS.search(text)))

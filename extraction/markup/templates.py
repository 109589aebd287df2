"""What site generators (Liquid, Jinja, Nunjucks) put between the words of a text: tags that no reader sees."""

import re
from collections.abc import Sequence

_LINK_TARGET = re.compile(
    r"\]\(\s*\{%[^%\n]*%\}[^)\n]{0,2000}\)|\]\(\s*\{\{[^}\n]*\}\}[^)\s]{0,2000}\s{0,100}\)"
)
_COMMENT = r"\{%-?\s*comment\s*-?%\}"
_COMMENT_END = r"\{%-?\s*endcomment\s*-?%\}"
_CODE = r"(?P<code>(?<!`)(?P<ticks>`{1,20})(?!`).{1,20000}?(?<!`)(?P=ticks)(?!`))"
_CODE_OR_TAG = re.compile(rf"{_CODE}|\{{%-?(?P<tag>[^%]{{0,1000}}?)-?%\}}", re.DOTALL)
_CODE_OR_COMMENT = re.compile(
    rf"{_CODE}|(?P<whole>{_COMMENT}(?:(?!{_COMMENT}).){{0,20000}}?{_COMMENT_END})"
    rf"|(?P<begin>{_COMMENT})|(?P<end>{_COMMENT_END})",
    re.DOTALL,
)
_ARGUMENT = re.compile(r"""["']([^"']+)["']""")
_PATH = re.compile(r"[/\\]|\.\w+$|^#")


def without_tags(markdown: str) -> str:
    """A paragraph, or a piece of HTML, without template tags.

    A tag that sits in a link's target goes with the target. Another tag leaves what it says to the reader: its first
    quoted argument, unless that is a path. Tags in code stay.
    """
    if "{" not in markdown:
        return markdown
    markdown = _LINK_TARGET.sub("](#)", markdown)
    return _CODE_OR_TAG.sub(_shown, markdown) if "{%" in markdown else markdown


def without_comments(texts: Sequence[tuple[str, bool]]) -> list[str]:
    """The texts of a file in their order, each with whether it is code, without the comments.

    A comment may go on over several texts, and then hides code too, but no tag in code begins or ends one. A beginning
    without an end hides nothing.
    """
    marks = [[] if is_code else _comment_marks(text) for text, is_code in texts]
    ends_left = sum(mark["begin"] is None for found in marks for mark in found)
    shown, hidden = [], False
    for (text, _), found in zip(texts, marks, strict=True):
        parts, at = [], 0
        for mark in found:
            parts.append("" if hidden else text[at : mark.start()])
            at = mark.end()
            ends_left -= mark["begin"] is None
            hidden = mark["begin"] is not None and ends_left > 0
        parts.append("" if hidden else text[at:])
        shown.append("".join(parts))
    return shown


def _comment_marks(text: str) -> list[re.Match[str]]:
    """Whole comments, and where others begin or end, outside of code."""
    found = _CODE_OR_COMMENT.finditer(text) if "{%" in text else ()
    return [mark for mark in found if mark["code"] is None]


def _shown(match: re.Match[str]) -> str:
    if match["code"]:
        return match[0]
    argument = _ARGUMENT.search(match["tag"])
    return "" if argument is None or _PATH.search(argument[1]) else argument[1]

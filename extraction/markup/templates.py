"""What site generators (Liquid, Jinja, Nunjucks) put between the words of a text: tags that no reader sees."""

import re

_LINK_TARGET = re.compile(
    r"\]\(\s*\{%[^%\n]*%\}[^)\n]{0,2000}\)|\]\(\s*\{\{[^}\n]*\}\}[^)\s]{0,2000}\s{0,100}\)"
)
_COMMENT = r"\{%-?\s*comment\s*-?%\}"
_COMMENT_END = r"\{%-?\s*endcomment\s*-?%\}"
_CODE_OR_TAG = re.compile(
    r"(?P<code>(?<!`)(?P<ticks>`{1,20})(?!`).{1,20000}?(?<!`)(?P=ticks)(?!`))"
    rf"|{_COMMENT}(?:(?!{_COMMENT}).){{0,20000}}?{_COMMENT_END}|{_COMMENT}|{_COMMENT_END}"
    r"|\{%-?(?P<tag>[^%]{0,1000}?)-?%\}",
    re.DOTALL,
)
_ARGUMENT = re.compile(r"""["']([^"']+)["']""")
_PATH = re.compile(r"[/\\]|\.\w+$|^#")


def without_tags(markdown: str) -> str:
    """A paragraph, or a piece of HTML, without template tags.

    A tag that sits in a link's target goes with the target. A comment goes whole. Another tag leaves what it says to
    the reader: its first quoted argument, unless that is a path. Tags in code stay, and so do the tags of a comment
    that only begins or ends here.
    """
    if "{" not in markdown:
        return markdown
    markdown = _LINK_TARGET.sub("](#)", markdown)
    return _CODE_OR_TAG.sub(_shown, markdown) if "{%" in markdown else markdown


def opens_comment(markdown: str) -> bool:
    """Whether a comment begins in this text ``without_tags`` and goes on after it."""
    return re.search(_COMMENT, markdown) is not None


def closes_comment(markdown: str) -> bool:
    """Whether a comment that began before ends in this text ``without_tags``."""
    return re.search(_COMMENT_END, markdown) is not None


def _shown(match: re.Match[str]) -> str:
    if match["code"] or match["tag"] is None:
        whole = match[0]
        both = opens_comment(whole) and closes_comment(whole) and not match["code"]
        return "" if both else whole
    argument = _ARGUMENT.search(match["tag"])
    return "" if argument is None or _PATH.search(argument[1]) else argument[1]

"""Names of a program's objects in text, as Sphinx is told of them: ``~package.Class.method``, ``.Class.method``.

They stand in roles, and in single backquotes where a project's configuration says so.
"""

import re

_MARKS = re.compile(r"(?:!(?=\S))?(?:~?\.?(?=\w))?")
"""``~`` asks for the last part of the name alone, ``!`` for no link, ``.`` for a search of the name."""
_NAME = r"[~!]?\.?[^\W\d]\w*(?:\.\w+)*(?:\(\))?"
_IN_BACKQUOTES = re.compile(rf"(?:(?P<title>.*\S)\s+<{_NAME}>|{_NAME})", re.DOTALL)
_CERTAIN = re.compile(r"(?<![:`\w])`(?:[~!]?\.[A-Z]\w*[a-z]|~[\w.]+`|[^`<>]{1,200}\s<[~!]?\.[^\W\d][\w.]*>`)")


def object_name(text: str) -> str:
    """The name without the marks before it."""
    marks = _MARKS.match(text)
    return text[marks.end() :] if marks else text


def names_objects_in_backquotes(text: str) -> bool:
    """Whether single backquotes hold names of objects in this file, as they would not hold names of files or code."""
    return bool(_CERTAIN.search(text))


def text_in_backquotes(text: str) -> str:
    """What a reader sees of single backquotes in such a file: the title in ``title <.Class>``, or the name."""
    found = _IN_BACKQUOTES.fullmatch(text)
    if found is None:
        return text
    return found["title"] or object_name(text)

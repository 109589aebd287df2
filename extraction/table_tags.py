"""Tables in HTML within wikitext: the ends that their rows and cells may do without, which the parser needs."""

import re

_MARK = re.compile(
    r"<!--(?:.*?-->|.*)|<(nowiki|pre|syntaxhighlight|source|math)\b(?:[^<>]*/>|(?:.*?</\1\s*>|.*))"  # no marks in these
    r"|(?P<begin>\{\{|\{\|)|(?P<end>\}\}|\|\}(?!\}))"
    r"|<(?P<closing>/?)(?P<tag>table|thead|tbody|tfoot|tr|td|th)\b[^<>]*?(?P<empty>/?)>",
    re.IGNORECASE | re.DOTALL,
)
_BEGINS = {"}}": "{{", "|}": "{|"}
_PARTS = ("thead", "tbody", "tfoot")
_HOLDS = {
    **dict.fromkeys(_PARTS, ("table",)),
    "tr": ("table", *_PARTS),
    **dict.fromkeys(("td", "th"), ("table", *_PARTS, "tr")),
}
"""What a tag stands right within: what else is open ends before it."""
_DEEPEST = 200


def with_closed_cells(source: str) -> str:
    """The wikitext with an end for every row and cell of its tables in HTML, and none more.

    It stays as it is where it nests too deeply. A table is closed by its own end alone, and stands within one template,
    or one cell of a table in wikitext.
    """
    parts: list[str] = []
    inside: list[str] = []  # what is open: templates, tables and their parts
    at = 0
    for mark in _MARK.finditer(source):
        if mark["begin"]:
            inside.append(mark["begin"])
        elif mark["end"]:
            _end_frame(inside, _BEGINS[mark["end"]])
        elif mark["tag"]:
            tag = mark["tag"].lower()
            ends = _ended_by(inside, tag) if mark["closing"] else _ended_before(inside, tag)
            parts += [source[at : mark.start()], *(f"</{name}>" for name in ends or ())]
            at = mark.end() if ends is None and _in_table(inside) else mark.start()
            if not (mark["closing"] or mark["empty"]) and (tag == "table" or _in_table(inside)):
                inside.append(tag)
        if len(inside) > _DEEPEST:
            return source
    return "".join([*parts, source[at:]])


def _in_table(inside: list[str]) -> bool:
    return bool(inside) and inside[-1] not in _BEGINS.values()


def _end_frame(inside: list[str], begin: str) -> None:
    """Leave the innermost template, or table in wikitext, with what is open in it."""
    if begin in inside:
        while inside.pop() != begin:
            pass


def _ended_before(inside: list[str], tag: str) -> list[str]:
    """What ends where this tag begins, the innermost first."""
    ended = []
    while tag in _HOLDS and _in_table(inside) and inside[-1] not in _HOLDS[tag]:
        ended.append(inside.pop())
    return ended


def _ended_by(inside: list[str], tag: str) -> list[str] | None:
    """What ends with the end of this tag, the innermost first; None where it is not open in this table."""
    for place in range(len(inside) - 1, -1, -1):
        if inside[place] == tag:
            ended = inside[:place:-1]
            del inside[place:]
            return ended
        if inside[place] == "table" or inside[place] in _BEGINS.values():
            break
    return None

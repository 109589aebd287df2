"""Boxes and tabs as MkDocs writes them: ``!!! note "Label"``, ``??? tip``, ``=== "Label"``, their content indented."""

import re

from markdown_it.rules_block import StateBlock

from extraction.markup.block_rules import add_box, beginning

_BEGINS = re.compile(
    r"(?:(?:!!!|\?\?\?\+?)[ \t]+[\w-]+(?:[ \t]+[\w-]+)*(?:[ \t]+\"(?P<label>[^\n]*)\")?"
    r"|===[!+]?[ \t]+\"(?P<tab>[^\n]+)\")[ \t]*$",
    re.MULTILINE,
)
_INDENT = 4


def indented_box(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A rule for blocks: a box or tab with the lines below it that are indented, as one token."""
    begins = beginning(state, first, _BEGINS)
    if begins is None:
        return False
    if silent:
        return True
    indent, last = state.sCount[first] + _INDENT, first + 1
    for line in range(first + 1, end):
        if not state.isEmpty(line):
            if state.sCount[line] < indent:
                break
            last = line + 1
    add_box(
        state, begins["label"] or begins["tab"], state.getLines(first + 1, last, indent, True), first, last
    )
    return True

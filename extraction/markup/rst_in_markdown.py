"""What stands in Markdown as reStructuredText has it: tables drawn with characters, links and their targets.

Documents that a program turned into Markdown keep them, as CommonMark knows neither.
"""

import re

from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from extraction.markup.block_rules import beginning

_SIMPLE_BORDER = re.compile(r"=+(?:[ \t]+=+)+[ \t]*$", re.MULTILINE)
_GRID_BORDER = re.compile(r"\+(?:[-=]+\+)+[ \t]*$", re.MULTILINE)
_GRID_LINE = re.compile(r"[+|][^\n]*[+|][ \t]*$", re.MULTILINE)
_LINK = re.compile(r"(?<!`)`(?P<title>[^`<>\s](?:[^`<>]{0,500}[^`<>\s])?)\s{1,3}<[^`<>\s]{1,1000}>`__?(?!\w)")
_TARGET = re.compile(r"\.\.[ \t]+_(?:`[^`\n]+`|[^\n:`]+):(?:[ \t]+\S+)?[ \t]*$", re.MULTILINE)


def rst_table(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A rule for blocks: a table between lines of ``=``, or drawn with ``+``, ``-`` and ``|``, as a token ``rst``."""
    if beginning(state, first, _GRID_BORDER):
        last = _end_of_grid(state, first, end)
    elif beginning(state, first, _SIMPLE_BORDER):
        last = _end_of_simple_table(state, first, end)
    else:
        return False
    if last is None:
        return False
    if not silent:
        token = state.push("rst", "", 0)
        token.content = state.getLines(first, last + 1, state.sCount[first], True)
        token.map = [first, last + 1]
        state.line = last + 1
    return True


def rst_target(state: StateBlock, first: int, _end: int, silent: bool) -> bool:
    """A rule for blocks: the line ``.. _name: address``, as no token."""
    if beginning(state, first, _TARGET) is None:
        return False
    if not silent:
        state.line = first + 1
    return True


def rst_link(state: StateInline, silent: bool) -> bool:
    """A rule for lines: the title of a link ```title <address>`_``."""
    found = _LINK.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "`" else None
    if found is None:
        return False
    if not silent:
        state.push("link_open", "a", 1)
        state.push("text", "", 0).content = found["title"].replace("\n", " ")
        state.push("link_close", "a", -1)
    state.pos = found.end()
    return True


def _end_of_grid(state: StateBlock, first: int, end: int) -> int | None:
    """The last line of the grid that begins here; None where no border closes it."""
    last = first
    while last + 1 < end and _is(_GRID_LINE, state, last + 1):
        last += 1
    return last if last > first and _is(_GRID_BORDER, state, last) else None


def _end_of_simple_table(state: StateBlock, first: int, end: int) -> int | None:
    """The last line of the table that begins here: the border above a blank line, or the second one below."""
    borders = 0
    for line in range(first + 1, end):
        if _is(_SIMPLE_BORDER, state, line):
            borders += 1
            if borders == 2 or line + 1 == end or state.isEmpty(line + 1):
                return line
    return None


def _is(kind: re.Pattern[str], state: StateBlock, line: int) -> bool:
    """Whether a line of the block that is being read looks so."""
    return state.sCount[line] >= state.blkIndent and beginning(state, line, kind) is not None

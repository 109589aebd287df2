"""Fences of MyST that are made of colons: ``:::{note}``, its content as Markdown, ``:::``."""

import re

from markdown_it.rules_block import StateBlock

from extraction.markup.block_rules import beginning

MARK = ":::"
_BEGINS = re.compile(rf"({MARK}:*)[ \t]*(\{{[a-zA-Z][\w:.-]*\}}[^\n]*)")


def colon_fence(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A rule for blocks: the fence that begins in the line ``first``, up to as many colons or the end, as one token."""
    begins = beginning(state, first, _BEGINS)
    if begins is None:
        return False
    if silent:
        return True
    last = next((line for line in range(first + 1, end) if _ends(state, line, len(begins[1]))), end)
    is_closed = last < end and _is_inside(state, last)
    token = state.push("fence", "code", 0)
    token.info, token.markup = begins[2], begins[1]
    token.content = state.getLines(first + 1, last, state.sCount[first], True)
    token.map = [first, last + is_closed]
    state.line = last + is_closed
    return True


def _is_inside(state: StateBlock, line: int) -> bool:
    """Whether a line is part of the list item or the quotation that is being read."""
    return state.sCount[line] >= state.blkIndent or state.isEmpty(line)


def _ends(state: StateBlock, line: int, colons: int) -> bool:
    """Whether the fence ends before this line or with it."""
    if not _is_inside(state, line):
        return True
    text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()
    return len(text) >= colons and not text.strip(":")

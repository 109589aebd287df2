"""Fences made of colons, as ``:::{note}`` of MyST, ``:::note[Label]`` of Docusaurus, ``::: tip Label`` of VitePress."""

import re

from markdown_it.rules_block import StateBlock

from extraction.markup.block_rules import add_box, beginning

MARK = ":::"
_BOXES = "note|tip|info|important|warning|caution|danger|success|question|example|quote|details"
_BEGINS = re.compile(
    rf"(?P<colons>{MARK}:*)[ \t]*(?:(?P<directive>\{{[a-zA-Z][\w:.-]*\}}[^\n]*)"
    rf"|(?:{_BOXES})(?:\[(?P<label>[^\n]*)\]|[ \t]+(?P<title>[^\n{{]+))?[ \t]*(?:\{{[^\n]*)?$)",
    re.MULTILINE,
)


def colon_fence(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A rule for blocks: the fence that begins in the line ``first``, up to as many colons or the end, as one token.

    It is a ``fence`` with the directive as its info, or a ``box`` where it is none.
    """
    begins = beginning(state, first, _BEGINS)
    if begins is None:
        return False
    if silent:
        return True
    last = next((line for line in range(first + 1, end) if _ends(state, line, len(begins["colons"]))), end)
    after = last + (last < end and _is_inside(state, last))
    content = state.getLines(first + 1, last, state.sCount[first], True)
    if begins["directive"] is None:
        add_box(state, begins["label"] or begins["title"], content, first, after)
        return True
    token = state.push("fence", "code", 0)
    token.info, token.markup = begins["directive"], begins["colons"]
    token.content = content
    token.map = [first, after]
    state.line = after
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

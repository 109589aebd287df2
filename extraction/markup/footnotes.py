"""Footnotes of Markdown: ``[^name]: its text``, with further paragraphs indented below.

CommonMark knows none, and takes a note of one word for the target of links.
"""

import re

from markdown_it.rules_block import StateBlock

from extraction.markup.block_rules import beginning

_BEGINS = re.compile(r"\[\^[^\]\s]{1,100}\]:[ \t]*")
_INDENT = 4  # of what belongs to a note


def footnote(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A rule for blocks: the note that begins in the line ``first``, its text parsed as blocks of its own."""
    begins = beginning(state, first, _BEGINS)
    if begins is None:
        return False
    if silent:
        return True
    before = state.bMarks[first], state.tShift[first], state.sCount[first], state.parentType
    state.push("footnote_open", "", 1)
    state.blkIndent += _INDENT
    state.bMarks[first], state.tShift[first], state.sCount[first] = begins.end(), 0, state.blkIndent
    state.parentType = "footnote"
    state.md.block.tokenize(state, first, end)
    state.bMarks[first], state.tShift[first], state.sCount[first], state.parentType = before
    state.blkIndent -= _INDENT
    state.push("footnote_close", "", -1)
    return True

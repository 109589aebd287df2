"""Parts of a page that plugins of MkDocs generate: ``::: package.Class``, with its options indented below.

What a reader sees there stands in no file of the documentation.
"""

import re

from markdown_it.rules_block import StateBlock

from extraction.markup.block_rules import beginning

_BEGINS = re.compile(r":::[ \t]+(?P<name>\w[\w.:/-]*)[ \t]*$", re.MULTILINE)
_CLOSES = re.compile(r":::+[ \t]*$", re.MULTILINE)
_INDENT = 4


def generated_part(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """A rule for blocks, after that of fences of colons: what is generated, and its options, as no token.

    It has a dot in its name or options, and nothing that closes it: else it is a box of its own name.
    """
    begins = beginning(state, first, _BEGINS)
    if begins is None:
        return False
    indent, last = state.sCount[first] + _INDENT, first + 1
    following = (line for line in range(first + 1, end) if not state.isEmpty(line))
    for line in following:
        if state.sCount[line] < indent:
            if _CLOSES.match(state.src, state.bMarks[line] + state.tShift[line], state.eMarks[line]):
                return False
            break
        last = line + 1
    if "." not in begins["name"] and last == first + 1:
        return False
    if not silent:
        state.line = last
    return True

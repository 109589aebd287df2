"""What the rules for blocks of Markdown that Loccit adds have in common."""

import re

from markdown_it.rules_block import StateBlock


def beginning(state: StateBlock, line: int, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """How the line begins a block, as the pattern says it does; None where it does not, or is indented code."""
    if state.is_code_block(line):
        return None
    return pattern.match(state.src, state.bMarks[line] + state.tShift[line], state.eMarks[line])


def add_box(state: StateBlock, label: str | None, content: str, first: int, end: int) -> None:
    """Add a token of type ``box``: Markdown that stands apart, in the lines from ``first`` to before ``end``.

    ``content``: of the line after the first and those below it. Its ``info`` is the label, which may be Markdown.
    """
    token = state.push("box", "", 0)
    token.info, token.content, token.map = label or "", content, [first, end]
    state.line = end

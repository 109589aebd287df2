"""What the rules for blocks of Markdown that Loccit adds have in common."""

import re

from markdown_it.rules_block import StateBlock


def beginning(state: StateBlock, line: int, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """How the line begins a block, as the pattern says it does; None where it does not, or is indented code."""
    if state.is_code_block(line):
        return None
    return pattern.match(state.src, state.bMarks[line] + state.tShift[line], state.eMarks[line])

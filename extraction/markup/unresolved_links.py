"""References of Markdown whose target another file names: ``[text][name]`` and ``[text][]``.

Site generators resolve these over all pages. CommonMark, which knows one file, shows their brackets.
"""

import re

from markdown_it.rules_inline import StateInline

_TARGET = re.compile(r"\[([^\[\]]{0,300})\]")
_NUMBER = re.compile(r"\[\d+\]")  # "said so [1][2]"


def unresolved_link(state: StateInline, silent: bool) -> bool:
    """A rule for lines, after that of links: the text of such a reference, as that of a link."""
    first, end = state.pos, state.posMax
    before = state.src[first - 1 : first]
    if state.src[first] != "[" or before.isalnum() or before == "]":
        return False
    last = state.md.helpers.parseLinkLabel(state, first, True)
    target = _TARGET.match(state.src, last + 1, end) if last > first + 1 else None
    if target is None or (_NUMBER.match(state.src, first, last + 1) and _NUMBER.match(target[0])):
        return False
    if not silent:
        state.pos, state.posMax = first + 1, last
        state.push("link_open", "a", 1)
        state.md.inline.tokenize(state)
        state.push("link_close", "a", -1)
    state.pos, state.posMax = target.end(), end
    return True

"""Alternatives of a page, all hidden, of which a script shows the one for a reader's system.

LibreOffice's help is written so: ``press <span class="switchinline"><span hidden>Command</span><span hidden
id="default...">Ctrl</span></span>``.
"""

from selectolax.lexbor import LexborHTMLParser, LexborNode

from extraction.html_seen import classes
from extraction.structure import one_line

_INLINE = "switchinline"  # alternatives within a sentence
_PARTS = "switch"  # alternatives that are paragraphs and more
_DEFAULT = "default"  # how the id of the one for all other systems begins
_BETWEEN = " / "


def show_alternatives(tree: LexborHTMLParser) -> None:
    """Show what would be missing: within a sentence the default, or all with a slash between; else all parts."""
    for node in tree.css(f"span.{_INLINE}, span.{_PARTS}"):
        if _all_are_hidden(node):
            _show(list(node.iter()), inline=_INLINE in classes(node))


def _all_are_hidden(node: LexborNode) -> bool:
    return all(
        "hidden" in child.attributes if child.is_element_node else not (child.text_content or "").strip()
        for child in node.iter(include_text=True)
    )


def _show(alternatives: list[LexborNode], *, inline: bool) -> None:
    texts = {text: node for node in reversed(alternatives) if (text := one_line(node.text()))}
    shown = list(reversed(texts.values()))  # of those with one text the first
    if inline:
        defaults = [node for node in shown if (node.attributes.get("id") or "").startswith(_DEFAULT)]
        shown = defaults or shown
    for number, node in enumerate(shown):
        del node.attrs["hidden"]
        if inline and number > 0:
            node.insert_before(_BETWEEN)

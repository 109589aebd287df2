"""Which elements of a page a reader sees, and which are furniture: navigation, headers, footers and the like."""

from selectolax.lexbor import LexborNode

from extraction.hiding import hides
from extraction.structure import names

_NEVER_SEEN = names(
    "script style noscript template head title svg iframe object embed canvas audio video map "
    "select datalist input textarea nav dialog rp annotation annotation-xml"
)
_NEVER_SEEN_CLASSES = names(
    "mw-editsection "  # MediaWiki: the link that edits
    "navheader navfooter breadcrumb breadcrumbs"  # DocBook and others: as ``nav``
)
_NEVER_SEEN_OF_CODE = names(
    "span.boring a.test-arrow"
)  # mdBook, rustdoc: lines folded away, the link that runs it
_FURNITURE = frozenset({"header", "footer", "aside", "search"})
_FURNITURE_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "dialog"})
_FURNITURE_ID = "footer"  # as pages had it before the element


def classes(node: LexborNode) -> list[str]:
    """The classes of an element."""
    return _names_in(node.attributes)


def is_main(node: LexborNode) -> bool:
    """Whether the element holds the main content."""
    return node.tag == "main" or node.attributes.get("role") == "main"


def is_unseen(node: LexborNode) -> bool:
    """Whether nobody sees the element, or it is part of no document."""
    attributes = node.attributes
    named = _names_in(attributes)
    return (
        node.tag in _NEVER_SEEN
        or ("hidden" in attributes and attributes.get("hidden") != "until-found")
        or attributes.get("aria-hidden") == "true"
        or hides(attributes.get("style"))
        or not _NEVER_SEEN_CLASSES.isdisjoint(named)
        or any(f"{node.tag}.{name}" in _NEVER_SEEN_OF_CODE for name in named)
    )


def is_furniture(node: LexborNode) -> bool:
    """Whether the element is furniture, unless it is an article's own."""
    attributes = node.attributes
    return (
        node.tag in _FURNITURE
        or attributes.get("role") in _FURNITURE_ROLES
        or attributes.get("id") == _FURNITURE_ID
    )


def is_unseen_or_furniture(node: LexborNode) -> bool:
    """Whether either is so."""
    return is_unseen(node) or is_furniture(node)


def _names_in(attributes: dict[str, str | None]) -> list[str]:
    return (attributes.get("class") or "").split()

"""Dumps of MediaWiki: the articles of an ``.xml.bz2`` file, read as it streams by."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote
from xml.etree import ElementTree

from common.compressed import DAMAGE, open_bytes
from extraction.extracted import UnreadableError
from extraction.extras import missing_package
from index_builder.corpora.names import printable
from index_builder.corpora.types import Item, Malformed, PassedOver, Record
from retriever.types import Document

_LOG = logging.getLogger(__name__)

_REDIRECT = re.compile(r"\s*#REDIRECT\b", re.IGNORECASE)  # some dumps do not mark them
_UNESCAPED = ";@$!*(),/~:"  # what MediaWiki's own addresses leave as it is, beside letters and digits


def read_mediawiki(path: Path, name: str) -> Iterator[Item]:
    """The articles of the dump, one page in memory at a time, each as its latest revision has it.

    A document's id is its page's name. Redirects and pages of other namespaces (talk, users, files) are passed over.
    """
    shown, number = printable(name), 0
    try:
        with open_bytes(path) as file:
            for item in _pages(file, shown):
                number += 1
                yield item
    except ImportError:
        yield Malformed(f"{shown}:1", str(missing_package("mwparserfromhell", "dumps")))
    except (ElementTree.ParseError, OSError, *DAMAGE) as error:
        yield Malformed(
            f"{shown}:{number + 1}",
            f"The dump is damaged or cut short after page {number} ({error}); the pages from here on are not read. "
            "Copy it again.",
        )


def _pages(file: BinaryIO, shown: str) -> Iterator[Item]:
    base, root, page, number = None, None, None, 0
    # expat stops entities that grow without end, and ElementTree fetches none
    for event, element in ElementTree.iterparse(file, events=("start", "end")):  # noqa: S314
        tag = _tag(element)
        if root is None:
            root = element
            if tag != "mediawiki":
                raise ElementTree.ParseError(f"the first element is {tag}, but a dump's is mediawiki")
        elif event == "end" and tag == "siteinfo":
            base = _text_of(element, "base")
        elif event == "start" and tag == "page":
            page = element
        elif event == "end" and tag == "revision" and page is not None:
            _keep_latest(page)
        elif event == "end" and tag == "page":
            number += 1
            yield _item(element, base, f"{shown}:{number}")
            root.clear()  # or every page stays in memory


def _keep_latest(page: ElementTree.Element) -> None:
    """Of the page's revisions so far, keep the latest; the last where the dump does not say when they were made."""
    *before, last = (child for child in page if _tag(child) == "revision")
    for earlier in before:
        times = [_text_of(revision, "timestamp") or "" for revision in (earlier, last)]
        page.remove(last if all(times) and times[0] > times[1] else earlier)


def _item(page: ElementTree.Element, base: str | None, location: str) -> Item:
    if _text_of(page, "ns") not in ("0", None):
        return PassedOver("pages of other namespaces")
    title = _text_of(page, "title")
    revision = _child(page, "revision")
    source = None if revision is None else _text_of(revision, "text")
    if _child(page, "redirect") is not None or _REDIRECT.match(source or ""):
        return PassedOver("redirects")
    from extraction.wikitext import structure_of

    if not title or source is None:
        return Malformed(location, "The page has no title or no text; dump it with its current revision.")
    try:
        structure = structure_of(source)
    except UnreadableError as error:
        return Malformed(location, str(error))
    except Exception as error:  # of a parser that is given whatever people wrote; the other pages are read
        _LOG.debug("%s cannot be read", location, exc_info=error)
        problem = f"{type(error).__name__}: {str(error)[:200]}"
        return Malformed(location, f"The page {title!r} cannot be read ({problem}); it is left out.")
    if not structure.blocks:
        return Malformed(location, f"The page {title!r} shows no text; it is left out.")
    doc_id = title.replace(" ", "_")
    url = None if base is None else f"{base.rpartition('/')[0]}/{quote(doc_id, safe=_UNESCAPED)}"
    return Record(Document(doc_id, title, structure.text, url, blocks=structure.blocks), location)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(element: ElementTree.Element, tag: str) -> ElementTree.Element | None:
    return next((child for child in element if _tag(child) == tag), None)


def _text_of(element: ElementTree.Element, tag: str) -> str | None:
    child = _child(element, tag)
    return None if child is None else child.text

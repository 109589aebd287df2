"""Real sets of documents, where they are: every block stands at the place in the original that it names."""

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdfium2 import PdfDocument
from selectolax.lexbor import LexborHTMLParser

from index_builder.corpora import Malformed, open_corpus
from retriever.types import Document
from tests.index_builder.corpora.reading import documents, only_document

SHARED = Path(__file__).parents[4] / "shared" / "data" / "docs_qa"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data sets are not here")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")

    def unpack(name: str) -> Path:
        with tarfile.open(SHARED / f"{name}.tar.gz") as archive:
            archive.extractall(folder / name, filter="data")
        return folder / name

    return unpack


def letters(text: str) -> str:
    return "".join(re.findall(r"\w", text))


def placed(document: Document) -> Iterator[tuple[str, str]]:
    """The last letters of every block, with the value of its locator."""
    for block in document.blocks:
        if block.locator is not None:
            yield letters(block.span.of(document.text))[-20:], block.locator.value


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


@pytest.mark.parametrize(("name", "count"), [("tts", 241), ("pip", 90)])
def test_texts_begin_in_the_line_that_they_name(unpacked, name, count):
    folder, found = unpacked(name), []
    read = documents(open_corpus(str(folder)))
    assert len(read) >= count
    for document in read:
        lines = (folder / document.doc_id).read_text("utf-8").splitlines()
        for block in document.blocks:
            if block.kind in ("heading", "paragraph", "item") and block.locator is not None:
                first = re.search(r"[^\W\d_]{3,}", block.span.of(document.text))
                number = int(block.locator.value) if block.locator.kind == "line" else 1
                found.append(first is None or first[0] in " ".join(lines[number - 1 : number + 2]))
    assert share(found) > 0.95


def test_no_mark_of_markdown_is_left_in_a_handbook(unpacked):
    text = "\n".join(
        block.span.of(document.text)
        for document in documents(open_corpus(str(unpacked("tts"))))
        for block in document.blocks
        if block.kind != "code"
    )
    assert len(text) > 1_000_000
    assert len(re.findall(r"\]\(|^#{1,6} |^title: ", text, re.MULTILINE)) < 10


def test_blocks_of_pages_stand_in_the_element_that_they_name(unpacked):
    folder, found = unpacked("wcag-techniques"), []
    items = list(open_corpus(str(folder)))
    assert len(items) == 529
    assert not [item for item in items if isinstance(item, Malformed)]
    for document in documents(open_corpus(str(folder))):
        tree = LexborHTMLParser((folder / document.doc_id).read_bytes())
        whole = {node.id: letters((node.parent or node).text()) for node in tree.css("[id]")}
        found += [end in whole[anchor] for end, anchor in placed(document)]
    assert share(found) > 0.98


def test_blocks_of_a_pdf_stand_on_the_page_that_they_name():
    path = SHARED / "asvs-3.0.1.pdf"
    document = only_document(path)
    pages = [letters(page.get_textpage().get_text_range()) for page in PdfDocument(path)]
    kinds = {block.kind for block in document.blocks}
    assert {"heading", "paragraph", "item", "row"} <= kinds
    found = [
        letters(block.span.of(document.text))[:15] in pages[int(block.locator.value) - 1]
        for block in document.blocks
        if block.kind != "row"
    ]
    assert share(found) == 1.0
    rows = [block.span.of(document.text) for block in document.blocks if block.kind == "row"]
    assert (
        "#: 1.3; Description: Verify that a high-level architecture for the application has been defined.; "
        in rows[next(number for number, row in enumerate(rows) if row.startswith("#: 1.3;"))]
    )
    assert "OWASP Application Security Verification Standard 3.0" not in [
        block.span.of(document.text) for block in document.blocks
    ]

"""PDF: what a reader sees of a ``.pdf`` file, each block with its page."""

import re
from typing import TYPE_CHECKING

from extraction.extracted import Extracted, UnreadableError
from extraction.extras import missing_package
from extraction.structure import Structure, one_line

if TYPE_CHECKING:
    import pypdfium2

    from extraction.pdf.page import Page

_MOST_PAGES = 20_000
_NO_NAME = re.compile(
    r"microsoft \w+ - |\W*(?:anonymous|unspecified|untitled|no title)(?:[ _-]*(?:\d+|document))?\W*$"
    r"|.*\.(?:docx?|pdf|indd|tex|dvi|pptx?|odt)$",
    re.IGNORECASE,
)


def extract_pdf(content: bytes) -> Extracted:
    """Headings by the size of their letters, paragraphs, items and ruled tables, without running heads and feet.

    Tables of contents are left out, too, and the metadata name their pages.

    The title is the file's own property, unless that is a file's name or none ("untitled"), else the first heading.
    """
    try:
        import pypdfium2
    except ImportError as error:
        raise missing_package("pypdfium2") from error
    from extraction.pdf.layout import Layout

    try:
        pages, title = _read(content)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableError("The file is encrypted; save it without a password.") from error
        raise UnreadableError(f"The file is damaged, or no PDF ({error}); make it anew.") from error
    empty = [page.number for page in pages if not page.parts]
    if len(empty) == len(pages):
        raise UnreadableError(
            "The file has no text, only pictures of pages, or nothing; run text recognition (OCR) on it first."
        )
    structure = Structure()
    layout = Layout(structure, pages)
    layout.add()
    told = {"pages_without_text": empty, "contents_left_out_on_pages": layout.contents_pages}
    return Extracted(
        structure,
        title or structure.first_heading,
        {name: numbers for name, numbers in told.items() if numbers},
    )


def _read(content: bytes) -> "tuple[list[Page], str | None]":
    import pypdfium2

    from extraction.pdf.page import read_page

    document = pypdfium2.PdfDocument(content)
    try:
        if len(document) > _MOST_PAGES:
            raise UnreadableError(
                f"The file has {len(document):,} pages, and {_MOST_PAGES:,} are the most; split it."
            )
        pages = [read_page(document[number], number + 1) for number in range(len(document))]
        return pages, _property_title(document)
    finally:
        document.close()


def _property_title(document: "pypdfium2.PdfDocument") -> str | None:
    title = one_line(document.get_metadata_value("Title") or "")
    return None if not title or _NO_NAME.match(title) else title

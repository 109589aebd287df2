"""Word: what a reader sees of a ``.docx`` file, each block with the heading that it stands under."""

import io
import re
import zipfile
from collections.abc import Sequence
from html import unescape
from pathlib import PurePath

from extraction.extracted import Extracted, UnreadableError
from extraction.extras import missing_package
from extraction.html import add_html
from extraction.structure import Structure, names, one_line
from extraction.word_numbers import with_numbers

_LARGEST = 50_000_000  # bytes of text and structure, unpacked; in memory they take many times as much
_MOST_PARTS = 10_000
_MEDIA = names(
    ".png .jpg .jpeg .jfif .gif .bmp .tif .tiff .emf .wmf .svg .webp .wdp .ico .mp3 .mp4 .wav .avi .mov .odttf .ttf "
    ".otf .bin .docx .xlsx .xls .pptx .pdf"
)
_OLD_OR_ENCRYPTED = b"\xd0\xcf\x11\xe0"
_TITLE = re.compile(r"<dc:title>([^<]{1,2000})</dc:title>")
_STYLES = "\n".join(
    [
        "p[style-name='Title'] => h1:fresh",
        "p[style-name='Subtitle'] => p:fresh",
        "p[style-name='Code'] => pre:separator('\n')",
        "p[style-name='HTML Preformatted'] => pre:separator('\n')",
    ]
)


def extract_word(content: bytes) -> Extracted:
    """Headings, paragraphs, lists and tables; the title is the first heading, else the file's own property."""
    try:
        import mammoth
    except ImportError as error:
        raise missing_package("mammoth") from error
    content = _with_numbers_alone(content)
    try:
        html = mammoth.convert_to_html(
            io.BytesIO(content), style_map=_STYLES, convert_image=mammoth.images.img_element(lambda _: {})
        ).value
        title = _property_title(content)
    except Exception as error:  # mammoth has no error of its own: a damaged part shows as any of many
        raise UnreadableError(
            f"The file is damaged, or no Word document ({type(error).__name__}); open it in Word and save it again."
        ) from error
    structure = Structure(sections=True)
    add_html(structure, html)
    return Extracted(structure, structure.first_heading or title)


def _with_numbers_alone(content: bytes) -> bytes:
    """The package with the numbers of its lists, without pictures and the like: it can call any part its text.

    Raises:
        UnreadableError: for what is no package, and for what would not fit in memory once unpacked.
    """
    if content.startswith(_OLD_OR_ENCRYPTED):
        raise UnreadableError(
            "The file is encrypted or of an old version of Word; save it as .docx without a password."
        )
    lean = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package, zipfile.ZipFile(lean, "w") as copy:
            parts = [
                part for part in package.infolist() if PurePath(part.filename).suffix.lower() not in _MEDIA
            ]
            _require_small(parts)
            for name, part in with_numbers({part.filename: package.read(part) for part in parts}).items():
                copy.writestr(name, part)
    except UnreadableError:
        raise
    except Exception as error:  # a damaged package shows as any of many errors
        raise UnreadableError(
            f"The file is damaged, or no Word document ({error}); open it in Word and save it again."
        ) from error
    return lean.getvalue()


def _require_small(parts: Sequence[zipfile.ZipInfo]) -> None:
    size = sum(part.file_size for part in parts)
    if size > _LARGEST or len(parts) > _MOST_PARTS:
        raise UnreadableError(
            f"The file unpacks to {size:,} bytes of text in {len(parts):,} parts; {_LARGEST:,} bytes "
            f"in {_MOST_PARTS:,} parts are the most. Split it."
        )


def _property_title(content: bytes) -> str | None:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        if "docProps/core.xml" not in package.namelist():
            return None
        found = _TITLE.search(package.read("docProps/core.xml").decode(errors="replace"))
    return one_line(unescape(found[1])) or None if found else None

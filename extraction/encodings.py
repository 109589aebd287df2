"""From bytes to text: UTF-8, or what a byte-order mark or the page itself declares."""

import codecs
import re

from extraction.extracted import UnreadableError

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DECLARED = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([a-z0-9_:.-]{1,40})", re.IGNORECASE)
_SEARCHED = 4096  # bytes at the top of a page


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a mark; the mark itself goes.

    Raises:
        UnreadableError: for any other encoding, and for what is no text.
    """
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in content:
        what = "UTF-16 without its mark" if _looks_like_utf_16(content) else "no text: it has zero bytes"
        raise UnreadableError(f"The file seems to be {what}; save it as UTF-8.")
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise UnreadableError(
            f"The file has the byte 0x{byte:02x} here, which is not {encoding.upper()}; save it as UTF-8.",
            line=line,
        ) from error


def decoded_page(content: bytes) -> str:
    """The text of a web page, as browsers decide it: a mark, a declaration, UTF-8, else Windows-1252.

    Raises:
        UnreadableError: for UTF-16 without a mark, and for what is no text.
    """
    if content.startswith(tuple(_MARKS)) or b"\0" in content:
        return decoded(content)
    declared = _DECLARED.search(content[:_SEARCHED])
    for encoding in ([declared[1].decode()] if declared else []) + ["utf-8"]:
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("cp1252", errors="replace")


def _looks_like_utf_16(content: bytes) -> bool:
    """Whether every other byte of the beginning is mostly zero, as in texts in Latin letters."""
    start = content[:2000]
    zeros = max(start[0::2].count(0), start[1::2].count(0))
    return zeros * 4 > len(start)

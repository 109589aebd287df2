"""From bytes to text: UTF-8, or what a byte-order mark or the page itself declares."""

import codecs
import re
import unicodedata

import webencodings

from extraction.extracted import UnreadableError

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DECLARED = re.compile(
    rb"(?:<meta[^>]{0,200}charset|^\s{0,100}<\?xml[^>]{0,200}encoding)\s*=\s*[\"']?\s*([a-z0-9_:.-]{1,40})",
    re.IGNORECASE,
)
_LOOKED_AT = 10_000  # bytes of a file
_TELLING = 8  # bytes: so many of UTF-16 are hardly ever UTF-8, too
_NO_LETTERS = ("Cc", "Cn", "Co")  # controls, characters that are none, and private ones
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
    if encoding == "utf-16" and not _is_utf_16(content):
        raise UnreadableError("The file begins like UTF-16, but the rest is none; save it as UTF-8.")
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

    A declaration is read as the WHATWG's standard has it, by which Latin-1 is Windows-1252. One that it does not know,
    or that does not fit the page, is passed over.

    Raises:
        UnreadableError: for UTF-16 without a mark, and for what is no text.
    """
    if content.startswith(tuple(_MARKS)) or b"\0" in content:
        return decoded(content)
    declared = _DECLARED.search(content[:_SEARCHED])
    known = webencodings.lookup(declared[1].decode()) if declared else None
    if known is not None and known.name.startswith("utf-16"):  # then its declaration could not have been read
        known = None
    for encoding in [known or webencodings.UTF8, webencodings.UTF8]:
        try:
            return str(encoding.codec_info.decode(content, "strict")[0])
        except UnicodeError:
            continue
    return content.decode("cp1252", errors="replace")


def _is_utf_16(content: bytes) -> bool:
    """Whether what follows the mark can be text in UTF-16: not bytes of UTF-8, and nearly all characters known."""
    start = content[2:_LOOKED_AT]
    if b"\0" not in start and len(start) >= _TELLING and _is_utf_8(start):
        return False
    text = content[:_LOOKED_AT].decode("utf-16", errors="replace")
    unknown = sum(unicodedata.category(each) in _NO_LETTERS and not each.isspace() for each in text)
    return unknown * 50 <= len(text)


def _is_utf_8(start: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True


def _looks_like_utf_16(content: bytes) -> bool:
    """Whether every other byte of the beginning is mostly zero, as in texts in Latin letters."""
    start = content[:2000]
    zeros = max(start[0::2].count(0), start[1::2].count(0))
    return zeros * 4 > len(start)

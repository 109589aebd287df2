"""A text file that comes as a part of a message."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from app.answering.checked_input import GivenDocument
from common.errors import InvalidRequestError

_MAX_TITLE_CHARACTERS = 1_000


def attached_document(part: Mapping[str, Any]) -> GivenDocument:
    """The document in a part ``{"type": "file", "file": {"filename": ..., "file_data": ...}}``.

    Raises:
        InvalidRequestError: when it brings no data, or data that is no text in UTF-8.
    """
    file = part.get("file")
    data = file.get("file_data") if isinstance(file, Mapping) else None
    if not isinstance(file, Mapping) or not isinstance(data, str):
        raise InvalidRequestError(
            "A file part brings no file_data, but it must hold its text there, as 'data:text/plain;base64,...'."
        )
    filename = file.get("filename")
    name = filename[:_MAX_TITLE_CHARACTERS] if isinstance(filename, str) else ""
    return GivenDocument(_text_of(data, name), title=name)


def _text_of(data: str, name: str) -> str:
    head, _, body = data.partition(",")
    kind, *parameters = head.removeprefix("data:").split(";")
    if not head.startswith("data:text/") or parameters[-1:] != ["base64"]:
        raise InvalidRequestError(
            f"The file {name[:80]!a} comes as {kind[:80]!a}, but only text is read here, as "
            "'data:text/plain;base64,...'; index other files, or hand in their text."
        )
    try:
        return base64.b64decode(body, validate=True).decode("utf-8-sig")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidRequestError(
            f"The file {name[:80]!a} is no text in UTF-8, sent in base64 ({error}); send it so."
        ) from error

"""What is wrong with a request's body or its parameters, in one sentence."""

from collections.abc import Mapping, Sequence
from email.message import Message
from typing import Any

from app.answering.checked_input import lone_surrogate
from app.http.wire.shape import Shape
from common.wording import shown


def is_json(content_type: str) -> bool:
    """Whether a Content-Type header announces JSON."""
    message = Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (
        subtype == "json" or subtype.endswith("+json")
    )


def sentence_for(errors: Sequence[Mapping[str, Any]], shape: Shape) -> str:
    """The first error as a sentence; an unknown field comes first, since it may be a known one misspelt.

    ``errors``: pydantic's. ``shape``: what should have come.
    """
    error = next((unknown for unknown in errors if unknown["type"] == "extra_forbidden"), errors[0])
    place = error["loc"]
    if error["type"] == "json_invalid":
        wrong = error["ctx"]["error"].lower().removesuffix(" at")
        return f"The body is not JSON: {wrong} at character {place[0]}."
    if not place:
        return _about_the_whole(error, shape)
    if error["type"] == "extra_forbidden":
        *parent, name = place
        return f"The {shape.part} {shown(name)} is not known{_in(parent)}; known are {_known(parent, shape)}."
    return f"The {shape.part} {_path(place)} {_mistake(error)}, but it must be {shape.parts[_name(place)]}."


def _about_the_whole(error: Mapping[str, Any], shape: Shape) -> str:
    state = "is empty" if error["type"] == "missing" else f"is {shown(error['input'])}"
    if error["type"] == "string_unicode":
        state = f"has the field {shown(error['input'])} with a lone surrogate in its name"
    return f"The {shape.whole} {state}, but it must be {shape.right}."


def _mistake(error: Mapping[str, Any]) -> str:
    value = error["input"]
    if error["type"] == "missing":
        return "is missing"
    if isinstance(value, str) and (offset := lone_surrogate(value)) is not None:
        return f"holds the lone surrogate U+{ord(value[offset]):04X} at offset {offset}"
    if error["type"] in {"string_too_long", "string_too_short"}:
        return f"has {len(value):,} characters"
    if error["type"] == "too_long":
        return f"has {len(value):,} items"
    return f"is {shown(value)}"


def _path(place: Sequence[str | int]) -> str:
    """``documents[0].text``."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in place]
    return "".join(parts).removeprefix(".")


def _name(place: Sequence[str | int]) -> str:
    """The path with its numbers left out: ``documents[].text``."""
    parts = ["[]" if isinstance(part, int) else f".{part}" for part in place]
    return "".join(parts).removeprefix(".")


def _in(parent: Sequence[str | int]) -> str:
    return f" in {_path(parent)}" if parent else ""


def _known(parent: Sequence[str | int], shape: Shape) -> str:
    start = f"{_name(parent)}." if parent else ""
    names = [name.removeprefix(start) for name in shape.parts if name.startswith(start)]
    return ", ".join(name for name in names if "." not in name and "[" not in name)

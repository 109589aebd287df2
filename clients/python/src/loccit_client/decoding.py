"""From JSON to the dataclasses of ``models``: fields that are not known are left out, those that lack are told."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from loccit_client.errors import UnexpectedResponseError

Value = TypeVar("Value")


def decoded(kind: type[Value], data: object) -> Value:
    """The value of this dataclass that ``data`` describes.

    Raises:
        UnexpectedResponseError: when it does not.
    """
    value: Value = _dataclass(kind, data, kind.__name__)
    return value


def _dataclass(kind: Any, data: object, place: str) -> Any:  # noqa: ANN401
    if not isinstance(data, Mapping):
        raise _unlike(place, "an object", data)
    given = {}
    for field in fields(kind):
        if field.name in data:
            given[field.name] = _value(_hints(kind)[field.name], data[field.name], f"{place}.{field.name}")
        elif field.default is MISSING:
            raise _unlike(f"{place}.{field.name}", "there", "nothing")
    return kind(**given)


def _value(hint: Any, data: Any, place: str) -> Any:  # noqa: ANN401
    if isinstance(hint, UnionType):
        if data is None and NoneType in get_args(hint):
            return None
        [hint] = [each for each in get_args(hint) if each is not NoneType]
    if is_dataclass(hint):
        return _dataclass(hint, data, place)
    if get_origin(hint) is tuple:
        if not isinstance(data, list):
            raise _unlike(place, "a list", data)
        return tuple(_value(get_args(hint)[0], each, f"{place}[{n}]") for n, each in enumerate(data))
    if get_origin(hint) is Mapping:
        if not isinstance(data, Mapping):
            raise _unlike(place, "an object", data)
        return {name: _value(get_args(hint)[1], each, f"{place}[{name!r}]") for name, each in data.items()}
    if hint is Any:
        return data
    allowed = (int, float) if hint is float else hint
    if not isinstance(data, allowed) or (isinstance(data, bool) and hint is not bool):
        raise _unlike(place, f"of the type {hint.__name__}", data)
    return data


@cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401
    return get_type_hints(kind)


def _unlike(place: str, right: str, data: object) -> UnexpectedResponseError:
    return UnexpectedResponseError(
        f"The server's {place} is {data!r:.80}, but it must be {right}; use the client of the server's version."
    )

"""Filters: which documents a question may be answered from, by what is recorded of them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from common.errors import InvalidRequestError
from common.wording import shown

Scalar = str | int | float | bool
Key = tuple[str, Scalar]
"""A value with its kind, so that true is not 1 and "1" is not 1; 1 and 1.0 are the same number."""

MAX_VALUES = 1_000
"""Values that a filter may name, all fields together."""

_EXAMPLE = '{"source": "handbook"}'


@dataclass(frozen=True, slots=True)
class Condition:
    """A document matches when its value of this field, or an item of it, is one of these values."""

    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """A document matches when it meets every condition; there is at least one."""

    conditions: tuple[Condition, ...]

    @classmethod
    def of(cls, value: object) -> Self:
        """The filter that a JSON value describes: an object of fields, each with one value or a list of them.

        Names and texts are compared code point by code point, numbers as numbers, and a boolean is no number.

        Raises:
            InvalidRequestError: when it is anything else, or names no field, no value of a field, or more than 1,000
                values.
        """
        if not isinstance(value, Mapping):
            raise InvalidRequestError(
                f"The filter is {shown(value)}, but it must be an object such as {_EXAMPLE}."
            )
        if not value:
            raise InvalidRequestError(
                f"The filter names no field; name one, as in {_EXAMPLE}, or leave it out."
            )
        count = sum(len(given) if isinstance(given, list) else 1 for given in value.values())
        if count > MAX_VALUES:  # before any is looked at: a million would hold everybody up
            raise InvalidRequestError(
                f"The filter names {count:,} values, but at most {MAX_VALUES:,} are accepted."
            )
        return cls(tuple(_condition(field, given) for field, given in value.items()))

    @classmethod
    def parse(cls, texts: list[str]) -> Self:
        """The filter of texts ``field=value``: values of one field are alternatives, fields all have to match.

        A value that is a number, true, false or a quoted text in JSON is that; any other is the text as it stands.

        Raises:
            InvalidRequestError: when one of them is no such text.
        """
        fields: dict[str, list[Any]] = {}
        for text in texts:
            field, equals, value = text.partition("=")
            if not equals:
                raise InvalidRequestError(
                    f"The filter {shown(text)} must be a field and a value, such as source=handbook."
                )
            fields.setdefault(field, []).append(_parsed(value))
        return cls.of(fields)

    @classmethod
    def by(cls, field: str, *values: Scalar) -> Self:
        """The filter by this one field."""
        return cls((Condition(field, values),))

    def __and__(self, other: "Filter") -> "Filter":
        """What matches both."""
        return Filter((*self.conditions, *other.conditions))

    def as_json(self) -> dict[str, list[Scalar]]:
        """The object that ``of`` reads."""
        return {condition.field: list(condition.values) for condition in self.conditions}


def key_of(value: Scalar) -> Key:
    """The value as it is compared."""
    if isinstance(value, bool):
        return "boolean", value
    return ("text" if isinstance(value, str) else "number"), value


def shown_field(name: str) -> str:
    """A field's name for a sentence: in ASCII, cut where it is long."""
    return shown(name, 40)


def _condition(field: object, given: object) -> Condition:
    if not isinstance(field, str):
        raise InvalidRequestError(f"The filter's field {shown(field)} must be a text.")
    values: list[Any] = given if isinstance(given, list) else [given]
    if not values:
        raise InvalidRequestError(
            f"The filter's field {shown_field(field)} has an empty list, which nothing matches; give a value at least."
        )
    for value in values:
        if not _is_scalar(value):
            raise InvalidRequestError(
                f"The filter's field {shown_field(field)} has the value {shown(value)}, but it must be a text, a "
                "number, true or false, or a list of such."
            )
    return Condition(field, tuple(values))


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value))


def _parsed(text: str) -> Scalar:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if _is_scalar(value) else text

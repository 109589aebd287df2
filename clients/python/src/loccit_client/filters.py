"""Filters: only documents of the index that have these values of these fields."""

import json
from collections.abc import Mapping, Sequence

from loccit_client.errors import LoccitClientError

Scalar = str | int | float | bool
Filter = Mapping[str, Scalar | Sequence[Scalar]]
"""Fields, each with a value or with several, of which a document has one: ``{"source": ["handbook", "wiki"]}``."""


def filter_parameters(given: Filter) -> list[str]:
    """The filter as an address has it: a field and a value each, such as ``source="handbook"``.

    Raises:
        LoccitClientError: when it names no field, a field has no value, or a name holds an equals sign.
    """
    if not given:
        raise LoccitClientError("The filter names no field; name one, or leave it out.")
    parameters = []
    for field, values in given.items():
        listed = [values] if isinstance(values, str | int | float) else list(values)
        if not listed:
            raise LoccitClientError(
                f"The filter's field {field!r} has an empty list, which nothing matches; give a value at least."
            )
        if "=" in field:
            raise LoccitClientError(
                f"The filter's field {field!r} holds an equals sign, which no search can tell; filter by another."
            )
        parameters += [f"{field}={json.dumps(value)}" for value in listed]
    return parameters

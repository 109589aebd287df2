"""Filters as an address has them: the service reads back what was meant."""

import pytest
from loccit_client import LoccitClientError
from loccit_client.filters import filter_parameters

from retriever.filters import Filter

MEANT = {
    "source": ["handbook", 'a "b"', "1", "true", ""],
    "year": 1998,
    "draft": False,
    "ü": (1.5, "é=\U0001f600"),
}


def test_the_service_reads_back_what_was_meant():
    assert Filter.parse(filter_parameters(MEANT)) == Filter.of(
        {field: list(values) if isinstance(values, tuple) else values for field, values in MEANT.items()}
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "names no field"),
        ({"year": 1, "source": []}, "field 'source' has an empty list, which nothing matches"),
        ({"a=b": 1}, "field 'a=b' holds an equals sign"),
    ],
)
def test_what_an_address_cannot_tell_is_refused_and_not_left_out(given, sentence):
    with pytest.raises(LoccitClientError, match=sentence):
        filter_parameters(given)

import pytest

from retriever.metadata import MAX_DEPTH, nests_too_deeply


def nested(depth: int) -> object:
    """Lists and objects by turns, one within the other."""
    value: object = 1
    for place in range(depth):
        value = [0, value] if place % 2 else {"a": 0, "b": value}
    return value


def test_the_metadata_itself_is_the_first_of_32():
    assert MAX_DEPTH == 32
    assert not nests_too_deeply({"a": nested(31)})
    assert nests_too_deeply({"a": nested(32)})
    assert nests_too_deeply({"a": nested(5_000)})


@pytest.mark.parametrize("flat", [{}, {"a": "text"}, {"a": [1, None, "x"] * 1_000, "b": {"c": True}}])
def test_what_is_flat_does_not_nest(flat):
    assert not nests_too_deeply(flat)

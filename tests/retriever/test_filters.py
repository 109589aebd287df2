"""What a filter may say, and what its bad forms are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidRequestError
from retriever.filters import MAX_VALUES, Filter, key_of

SENTENCES = {
    "null": (None, 'The filter is None, but it must be an object such as {"source": "handbook"}.'),
    "text": ("a=b", 'The filter is \'a=b\', but it must be an object such as {"source": "handbook"}.'),
    "list": (
        [{"a": 1}],
        'The filter is [{\'a\': 1}], but it must be an object such as {"source": "handbook"}.',
    ),
    "no field": ({}, 'The filter names no field; name one, as in {"source": "handbook"}, or leave it out.'),
    "no value": (
        {"a": []},
        "The filter's field 'a' has an empty list, which nothing matches; give a value at least.",
    ),
    "null value": (
        {"a": None},
        "The filter's field 'a' has the value None, but it must be a text, a number, true or false, or a list of such.",
    ),
    "null in a list": (
        {"a": ["b", None]},
        "The filter's field 'a' has the value None, but it must be a text, a number, true or false, or a list of such.",
    ),
    "object": (
        {"a": {"$ne": "b"}},
        "The filter's field 'a' has the value {'$ne': 'b'}, but it must be a text, a number, true or false, or a list "
        "of such.",
    ),
    "nested list": (
        {"a": [["b"]]},
        "The filter's field 'a' has the value ['b'], but it must be a text, a number, true or false, or a list of "
        "such.",
    ),
    "infinite": (
        {"a": float("inf")},
        "The filter's field 'a' has the value inf, but it must be a text, a number, true or false, or a list of such.",
    ),
    "no number": (
        {"a": float("nan")},
        "The filter's field 'a' has the value nan, but it must be a text, a number, true or false, or a list of such.",
    ),
    "too many, of which none is looked at": (
        {"a": [None] * MAX_VALUES, "b": None},
        "The filter names 1,001 values, but at most 1,000 are accepted.",
    ),
    "too many": (
        {"a": ["x"] * MAX_VALUES, "b": True},
        "The filter names 1,001 values, but at most 1,000 are accepted.",
    ),
}


@pytest.mark.parametrize(("value", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_a_bad_filter_is_refused_with_one_sentence(value, sentence):
    with pytest.raises(InvalidRequestError) as caught:
        Filter.of(value)
    assert str(caught.value) == sentence


def test_a_single_value_is_a_list_of_one_and_a_filter_is_read_back_as_it_was():
    wanted = Filter.of({"team": "sales", "year": [2024, 2025.5], "draft": False})
    assert wanted.as_json() == {"team": ["sales"], "year": [2024, 2025.5], "draft": [False]}
    assert Filter.of(wanted.as_json()) == wanted


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=b", "b"),
        ("a=", ""),
        ("a=b=c", "b=c"),
        ("a=2024", 2024),
        ("a=-1.5", -1.5),
        ("a=true", True),
        ("a=True", "True"),
        ('a="2024"', "2024"),
        ("a=null", "null"),
        ("a=[1]", "[1]"),
        ("a=1e999", "1e999"),
        ("a=NaN", "NaN"),
        ("a=" + "9" * 5000, "9" * 5000),
        ("a=" + "[" * 100_000, "[" * 100_000),
    ],
)
def test_a_typed_value_is_json_where_it_is_a_single_value_and_else_the_text(text, value):
    (condition,) = Filter.parse([text]).conditions
    assert (condition.field, [key_of(each) for each in condition.values]) == ("a", [key_of(value)])


def test_typed_values_of_one_field_are_alternatives():
    parsed = Filter.parse(["team=sales", "year=2024", "team=support"])
    assert parsed == Filter.of({"team": ["sales", "support"], "year": 2024})


def test_a_typed_filter_without_a_value_is_refused():
    with pytest.raises(InvalidRequestError) as caught:
        Filter.parse(["team"])
    assert str(caught.value) == "The filter 'team' must be a field and a value, such as source=handbook."


@given(st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3), st.data())
def test_values_are_alike_when_json_writes_the_same_kind_and_the_same_value(one, data):
    other = data.draw(st.sampled_from([one, str(one), True, False, 0, 1, 1.0, "1", "true"]))
    same_kind = (isinstance(one, bool), isinstance(one, str)) == (
        isinstance(other, bool),
        isinstance(other, str),
    )
    assert (key_of(one) == key_of(other)) is (same_kind and one == other)

"""Numbers of things, and values, in words."""

import sys

from common.wording import counted, shown


def test_one_thing_is_not_many():
    assert [counted(number, "document") for number in (0, 1, 2, 2000)] == [
        "0 documents",
        "1 document",
        "2 documents",
        "2,000 documents",
    ]


def test_a_value_is_shown_in_ascii_and_cut_where_it_is_long():
    assert shown(["é", 1]) == "['\\xe9', 1]"
    assert shown("a" * 100, 10) == "'aaaaaaaaa..."


def test_a_value_that_nests_too_deep_to_be_written_is_told_so():
    value: object = []
    for _ in range(sys.getrecursionlimit()):
        value = [value]
    assert shown(value) == "something nested too deep to show"

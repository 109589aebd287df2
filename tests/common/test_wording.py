"""Numbers of things in words."""

from common.wording import counted


def test_one_thing_is_not_many():
    assert [counted(number, "document") for number in (0, 1, 2, 2000)] == [
        "0 documents",
        "1 document",
        "2 documents",
        "2,000 documents",
    ]

"""Texts that cost more than their length: of exactly the length that was asked for."""

import pytest

from benchmarks.hostile_texts import KINDS, hostile


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("characters", [0, 1, 7, 1000])
def test_a_text_has_as_many_characters_as_asked_for(kind, characters):
    assert len(hostile(kind, characters)) == characters


def test_a_text_begins_and_goes_on_as_its_kind_says():
    assert hostile("combining marks", 4) == "k\u0301\u0301\u0301"
    assert hostile("newlines", 5) == "key\n\n"
    assert hostile("list", 7) == "1) 1) 1"

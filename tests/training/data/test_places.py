"""Places that are kept as hashes of their words, and found again."""

import json

import pytest

from retriever.types import Span
from training.data.places import Place, Words

TEXT = "Give `--reuse-port` to share it.  The default is 80 (or\n8080 on CI). Give --reuse-port twice."


def found(text, place, within=None):
    return [span.of(text) for span in Words(text).find(place, within=within)]


def test_a_place_is_found_with_the_marks_that_belong_to_it():
    assert found(TEXT, Place.of("--reuse-port")) == ["--reuse-port", "--reuse-port"]
    assert found(TEXT, Place.of("The default is 80 (or 8080 on CI).")) == [
        "The default is 80 (or\n8080 on CI)."
    ]


def test_marks_white_space_and_case_may_have_changed_and_words_not():
    place = Place.of("The default is **80** (or 8080 on CI).")
    assert len(found(TEXT, place)) == 1
    assert found(TEXT.replace("80 ", "8O "), place) == []
    assert found(TEXT.replace("The default is 80", "THE DEFAULT\tis `80`"), place) == [
        "THE DEFAULT\tis `80` (or\n8080 on CI)."
    ]


def test_it_is_looked_for_within_a_span():
    second = Span(TEXT.index("8080"), len(TEXT))
    assert [span.start for span in Words(TEXT).find(Place.of("--reuse-port"), within=second)] == [
        TEXT.rindex("--reuse-port")
    ]
    assert found(TEXT, Place.of("The default"), second) == []


def test_a_place_survives_json_and_needs_a_word():
    for text in ("--reuse-port", "The default"):
        place = Place.of(text)
        assert Place.of_json(json.loads(json.dumps(place.as_json()))) == place
    assert len(Place.of("The default").as_json()) == 2
    with pytest.raises(ValueError, match="needs a word"):
        Place.of("--")
    assert found("", Place.of("word")) == []

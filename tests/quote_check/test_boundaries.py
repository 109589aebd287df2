import pytest

from quote_check.boundaries import in_whole_words
from retriever.types import Span


def is_whole(text: str) -> bool:
    """Of the text with a bar before and after what is quoted."""
    before, quote, after = text.split("|")
    return in_whole_words(before + quote + after, Span(len(before), len(before) + len(quote)))


@pytest.mark.parametrize(
    "text",
    [
        "It is il|legal to park| here.",
        "The |drug is safe|ty-tested.",
        "It is non-|toxic|.",
        "It is |risk|-free.",
        "The |drug can|'t be used.",
        "The |drug can|’t be used.",
        "It is il\u00ad|legal|.",
        "It is il-\n|legal|.",
        "It is non-\r\n  |toxic|.",
        "A |caf|é",
        "A |cafe|\u0301",
        "Some |cafe\u0301|s",
        "합|법이다|.",
        "1|5 million| people",
        "1,|500| men",
        "1.|5| men",
        "It is |10|.5 euros.",
        "It is |10.|5 euros.",
        "It is |10|\u00a0000 euros.",
        "At 10:|30| a.m.",
        "Of 1/|2| of them",
        "In 1914–|1918| there",
        "It was -|10 degrees|.",
        "It was −|10 degrees|.",
        "It was –|10 degrees|.",
        "It was -.|5 degrees|.",
        "It cost $|5|.",
        "It rose by |10|%.",
        "About |10|⁶ of them",
        "For |2|½ years",
        "在1|5日|",
    ],
)
def test_a_cut_inside_a_word_or_number_is_told(text):
    assert not is_whole(text)


@pytest.mark.parametrize(
    "text",
    [
        "|It is legal to park| here.",
        "It is |legal|, so",
        "“|It is legal|”",
        "_|It is|_ so",
        "the tower—|built of stone|—fell",
        "the tower--|built of stone|--fell",
        "It is |10|. Then",
        "It is |10.| Then",
        "It is |10|, 20 or 30",
        "It is |-10 degrees|.",
        "The |dogs|' bowl",
        "a hundred |men|¹ came",
        "in |1889|[1] and",
        "in |1889.|[1] And",
        "It is in Paris.|The tower| fell.",
        "東京は|日本の|首都",
        "ประเทศ|ไทย|อยู่",
        "在|15日|的",
        "(|so|)",
        "so|, it is |so",
        "|all|",
    ],
)
def test_a_cut_beside_words_and_numbers_is_none(text):
    assert is_whole(text)

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidRequestError
from retriever.text.lengths import WORD_CHARACTERS
from retriever.text.passages import PassageDraft, PassageSettings, split
from retriever.text.sentences import sentence_spans, splits_character
from retriever.types import Document, Span
from tests.growth import assert_linear

CHARACTERS = "aaAb\u0301\U0001f600\U0001f1e6\u200d\r\n\u2028\u00a0\x00... \t日。ก"
TEXTS = st.lists(
    st.text(CHARACTERS, max_size=30)
    | st.builds(
        lambda unit, times: unit * times, st.text(CHARACTERS, min_size=1, max_size=8), st.integers(1, 90)
    ),
    max_size=6,
).map("".join)
SETTINGS = st.builds(PassageSettings, st.integers(1, 12), st.integers(0, 12))


def drafts_of(text: str, settings: PassageSettings) -> list[PassageDraft]:
    return list(split(Document("d", "D", text), settings))


def texts_of(text: str, words: int) -> list[str]:
    return [draft.span.of(text) for draft in drafts_of(text, PassageSettings(words))]


def sentence(words: int) -> str:
    return " ".join(["Word"] + ["word"] * (words - 1)) + "."


@given(TEXTS, SETTINGS)
def test_passages_and_the_whitespace_between_them_are_the_whole_document(text, settings):
    rebuilt, end = "", 0
    for draft in drafts_of(text, settings):
        gap = text[end : draft.span.start]
        assert gap.strip() == ""
        rebuilt += gap + draft.span.of(text)
        end = draft.span.end
    assert text[end:].strip() == ""
    assert rebuilt + text[end:] == text


@given(TEXTS, SETTINGS)
def test_a_passage_has_no_whitespace_at_its_ends(text, settings):
    for draft in drafts_of(text, settings):
        assert draft.span.of(text) == draft.span.of(text).strip() != ""


@given(TEXTS, SETTINGS)
def test_a_passage_keeps_its_limits(text, settings):
    for draft in drafts_of(text, settings):
        assert len(draft.span.of(text).split()) <= settings.words
        assert len(draft.span) <= settings.words * WORD_CHARACTERS


@given(TEXTS, SETTINGS)
def test_a_continuation_runs_on_from_its_passage_within_its_limits(text, settings):
    for draft in drafts_of(text, settings):
        continuation = text[draft.span.end : draft.continuation_end]
        assert continuation == continuation.rstrip()
        assert len(continuation.split()) <= settings.continuation_words
        assert len(continuation) <= settings.continuation_words * WORD_CHARACTERS


@given(st.text("aab\u0301\u0301 \r\n.日\u3099", max_size=300), SETTINGS)
def test_no_passage_or_continuation_ends_before_a_combining_mark(text, settings):
    text = text.replace("\u0301" * 4, "a")  # marks longer than a whole word cannot always be kept together
    for draft in drafts_of(text, settings):
        assert not splits_character(text, draft.span.end)
        assert not splits_character(text, draft.continuation_end)


@given(TEXTS, SETTINGS)
def test_splitting_again_gives_the_same(text, settings):
    assert drafts_of(text, settings) == drafts_of(text, settings)


@given(st.lists(st.integers(1, 10), min_size=1, max_size=30))
def test_sentences_that_fit_are_never_cut(lengths):
    text = " ".join(map(sentence, lengths))
    ends = {span.end for span in sentence_spans(text)}
    assert {draft.span.end for draft in drafts_of(text, PassageSettings(10))} <= ends


@given(st.lists(st.integers(1, 10), min_size=1, max_size=30))
def test_neighbouring_passages_would_not_fit_into_one(lengths):
    passages = texts_of(" ".join(map(sentence, lengths)), words=10)
    for before, after in pairwise(passages[:-1]):
        assert len(before.split()) + len(after.split(".")[0].split()) > 10 or after is passages[-2]


def test_sentences_are_packed_until_the_next_would_not_fit():
    text = " ".join(map(sentence, [40, 40, 30, 60, 10]))
    assert [len(passage.split()) for passage in texts_of(text, 100)] == [80, 100]


def test_a_document_that_fits_is_one_passage():
    assert texts_of(" One sentence. Another.\n", 100) == ["One sentence. Another."]


@pytest.mark.parametrize("text", ["", " ", "\r\n\t\u2028 \u00a0"])
def test_an_empty_document_has_no_passages(text):
    assert drafts_of(text, PassageSettings()) == []


def test_a_tiny_rest_takes_sentences_from_the_passage_before():
    text = " ".join([sentence(20)] * 6)
    assert [len(passage.split()) for passage in texts_of(text, 100)] == [80, 40]
    text = " ".join([*[sentence(20)] * 5, sentence(5)])
    assert [len(passage.split()) for passage in texts_of(text, 100)] == [80, 25]


@pytest.mark.parametrize("lengths", [[100], [10, 90], [2, 98]])
def test_a_tiny_rest_stays_where_nothing_can_be_moved_well(lengths):
    text = " ".join(map(sentence, [*lengths, 5]))
    assert [len(passage.split()) for passage in texts_of(text, 100)] == [100, 5]


def test_a_tiny_rest_far_away_stays_alone():
    text = " ".join([sentence(20)] * 5) + " " * 1_950 + sentence(5)
    assert [len(passage.split()) for passage in texts_of(text, 100)] == [100, 5]


def test_a_sentence_too_long_is_cut_between_words_into_equal_parts():
    text = sentence(230)
    passages = texts_of(text, 100)
    assert [len(passage.split()) for passage in passages] == [77, 77, 76]
    assert " ".join(passages) == text


def test_a_word_too_long_is_cut_after_a_fixed_number_of_characters():
    assert texts_of("a" * 100, 2) == ["a" * 40, "a" * 40, "a" * 20]


def test_a_cut_avoids_the_inside_of_a_word():
    address = "https://example.org/" + "path/" * 10
    text = f"{sentence(7)[:-1]} {address} {sentence(7)}"
    assert [address in passage for passage in texts_of(text, 10)] == [False, True, False]


def test_a_cut_keeps_letters_and_their_marks_together():
    passages = texts_of("ae\u0301" * 20, 1)
    assert "".join(passages) == "ae\u0301" * 20
    assert not any(passage.startswith("\u0301") for passage in passages)


def test_a_cut_keeps_a_mark_with_the_space_that_carries_it():
    assert texts_of("a b c \u0301d e f", 3) == ["a b", "c \u0301d", "e f"]


def test_marks_longer_than_a_word_are_cut_rather_than_exceed_the_limit():
    assert {len(passage) for passage in texts_of("e" + "\u0301" * 79, 2)} == {40}


def test_whitespace_inside_a_passage_counts_towards_its_characters():
    assert texts_of("a" + " " * 5_000 + "b", 100) == ["a", "b"]


def test_a_script_without_spaces_fills_fewer_characters():
    assert [len(passage) for passage in texts_of("灯" * 400, 100)] == [200, 200]
    assert [len(passage) for passage in texts_of("ก" * 1000, 100)] == [500, 500]


def test_a_continuation_ends_with_the_last_whole_word_that_fits():
    text = "One two. Three four five six."
    first, *_ = drafts_of(text, PassageSettings(words=2, continuation_words=3))
    assert text[first.span.end : first.continuation_end] == " Three four five"


def test_a_continuation_does_not_end_inside_a_long_word():
    text = "One. Two three " + "x" * 70 + "."
    first, *_ = drafts_of(text, PassageSettings(words=1, continuation_words=3))
    assert text[first.span.end : first.continuation_end] == " Two three"


def test_a_word_that_does_not_fit_into_a_continuation_is_left_out_whole():
    text = "One." + " " * 30 + "abcdefghijklmno"
    first, _ = drafts_of(text, PassageSettings(words=1, continuation_words=2))
    assert text[first.span.end : first.continuation_end] == ""


def test_a_continuation_starts_with_the_whitespace_between():
    text = "One two.\r\n\r\nThree four."
    first, last = drafts_of(text, PassageSettings(words=2, continuation_words=100))
    assert text[first.span.end : first.continuation_end] == "\r\n\r\nThree four."
    assert last.continuation_end == last.span.end


def test_continuations_can_be_turned_off():
    settings = PassageSettings(words=2, continuation_words=0)
    assert all(draft.continuation_end == draft.span.end for draft in drafts_of("One two. Three.", settings))


def test_a_continuation_ends_with_a_whole_sentence_where_one_fits():
    text = "One two. Three four five. Six seven eight nine ten eleven twelve."
    first, second, *_ = drafts_of(text, PassageSettings(words=2, continuation_words=6))
    assert text[first.span.end : first.continuation_end] == " Three four five."
    assert text[second.span.end : second.continuation_end].startswith(" five.")
    long = drafts_of("One two. Three four five six seven.", PassageSettings(words=2, continuation_words=3))
    assert long[0].continuation_end == len("One two. Three four five")


def test_a_continuation_cannot_end_before_its_passage():
    with pytest.raises(ValueError, match="at 9, so it cannot end at 8"):
        PassageDraft(Span(1, 9), 8)


@pytest.mark.parametrize("words", [0, -1, True, 1.5, "100"])
def test_settings_refuse_passages_without_words(words):
    with pytest.raises(InvalidRequestError, match="whole number of at least 1, but got"):
        PassageSettings(words=words)


@pytest.mark.parametrize("words", [-1, False, 0.5])
def test_settings_refuse_continuations_of_negative_length(words):
    with pytest.raises(InvalidRequestError, match="whole number of at least 0, but got"):
        PassageSettings(continuation_words=words)


@pytest.mark.parametrize("unit", ["a", "word ", "This is a sentence about it. "])
def test_a_long_line_takes_time_in_proportion_to_its_length(unit):
    def divided(characters: int) -> None:
        text = unit * (characters // len(unit))
        drafts = drafts_of(text, PassageSettings())
        assert sum(len(draft.span) for draft in drafts) >= len(text.rstrip()) - len(drafts)

    assert_linear(divided, 500_000)

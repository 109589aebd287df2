from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriever.text import sentence_ends
from retriever.text.sentence_ends import WINDOW
from retriever.text.sentences import sentence_spans, splits_character, trimmed
from retriever.types import Span
from tests.growth import assert_linear

TINY = st.text("aaAB\u0301\U0001f600\U0001f1e6\u200d\r\n\u2028\u00a0\x00.. \t\"'(!?1-#|日。", max_size=40)
WORDS = st.lists(st.sampled_from(["a", "Bc", "Mr.", "d. ", " ", "\n", "\r\n", "- ", "# "]), max_size=60).map(
    "".join
)


def sentences_of(text: str) -> list[str]:
    return [span.of(text) for span in sentence_spans(text)]


def assert_exact(text: str) -> None:
    """Trimmed, in order, disjoint, and nothing but whitespace outside."""
    end = 0
    for span in sentence_spans(text):
        assert text[end : span.start].strip() == ""
        assert span.of(text) == span.of(text).strip()
        end = span.end
    assert text[end:].strip() == ""


@given(TINY | WORDS)
def test_only_whitespace_lies_outside_the_sentences(text):
    assert_exact(text)


@given(st.text())
def test_any_text_at_all_is_split_exactly_even_with_lone_surrogates(text):
    assert_exact(text + "\ud800. A" + text)


@given(WORDS, st.integers(0, 40))
def test_a_text_longer_than_the_window_is_split_exactly(text, filling):
    assert_exact(text + "x" * (WINDOW - filling) + text + "y " * WINDOW + text)


@given(TINY)
def test_no_boundary_parts_a_visible_character(text):
    for before, after in pairwise(sentence_spans(text)):
        if before.end == after.start:
            assert not splits_character(text, after.start)


def test_sentences_end_at_their_marks_but_not_at_abbreviations():
    text = "The lamp was lit by Mr. Smith in 1698. It burned for 3.5 hours. Did it? Yes!"
    assert sentences_of(text) == [
        "The lamp was lit by Mr. Smith in 1698.",
        "It burned for 3.5 hours.",
        "Did it?",
        "Yes!",
    ]


def test_sentences_without_spaces_between_them_are_told_apart():
    assert sentences_of("灯台は古い。今も立つ。") == ["灯台は古い。", "今も立つ。"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\u2028", "\x85"])
def test_a_blank_line_ends_a_sentence(line_end):
    assert sentences_of(f"no mark here{line_end} {line_end}and none here") == [
        "no mark here",
        "and none here",
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\u2028"])
def test_a_sentence_runs_across_a_line_break_where_the_line_was_full(line_end):
    text = line_end.join(["The tower that stands on the", "reef was built by a man of", "Essex. It fell."])
    assert sentences_of(text) == [text.removesuffix(" It fell."), "It fell."]


def test_a_sentence_runs_across_a_break_that_goes_on_in_lower_case():
    text = "The tower\nstands on a reef in the sea."
    assert sentences_of(text) == [text]


def test_a_number_that_starts_a_list_item_is_not_a_sentence():
    assert sentences_of("1. A lamp. 2 bells.\n\n2. A keeper.") == ["1. A lamp.", "2 bells.", "2. A keeper."]


def test_a_short_line_before_a_capital_is_a_sentence_of_its_own():
    assert sentences_of("History\nThe tower was built in 1698.") == [
        "History",
        "The tower was built in 1698.",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# The tower\nstood", ["# The tower", "stood"]),
        ("stood\n## a tower", ["stood", "## a tower"]),
        ("The tower\n=========\nstood", ["The tower\n=========", "stood"]),
        ("it had\n- a lamp\n- a keeper\n  of it", ["it had", "- a lamp", "- a keeper\n  of it"]),
        ("it had\n1. a lamp\n2) a keeper", ["it had", "1. a lamp", "2) a keeper"]),
        ("| lamp | oil |\n| bell | air |", ["| lamp | oil |", "| bell | air |"]),
    ],
)
def test_headings_list_items_and_table_rows_are_not_run_together(text, expected):
    assert sentences_of(text) == expected


def test_a_word_that_would_just_have_fitted_starts_a_new_sentence():
    widest = "It was dark when the keeper climbed the tower."
    full = "The lamp was lit by a man whom nobody knew ab"
    assert sentences_of(f"{full}\n{widest}") == [f"{full}\n{widest}"]
    assert sentences_of(f"{full[:-2]}\n{widest}") == [full[:-2].rstrip(), widest]


def test_lines_of_a_paragraph_too_narrow_to_be_wrapped_end_where_they_were_meant_to():
    assert sentences_of("Anna Berg\nMill Lane 12\nSpringfield") == [
        "Anna Berg",
        "Mill Lane 12",
        "Springfield",
    ]


def test_an_initial_at_the_start_of_a_full_line_is_no_list_item():
    text = "The second tower was built by\nJ. Rudyerd."
    assert sentences_of(text) == [text]


@pytest.mark.parametrize(
    "lines",
    [
        ["Mon 9-5", "Tue 9-5 (closed in the afternoon of holidays)", "Wed closed"],
        ["2024-01-01 10:00 start", "2024-01-01 10:05 stop now and then wait for more to come", "Wait over"],
        ["[2024-01-01 10:00:00] ERROR the boiler failed", "[2024-01-01 10:00:01] INFO the boiler is well"],
        [
            "2024-01-01 10:00 the boiler was started by hand",
            "2024-01-01 10:05 the boiler was stopped by hand",
            "2024-01-01 10:10 the boiler was started by hand",
        ],
        ["The boiler failed and was not started again.", "[2024-01-01 10:00:01] INFO", "Done"],
        ["It was dark in the tower at that time.", "(Nobody had lit the lamp.)"],
    ],
)
def test_lines_that_were_meant_to_end_are_units(lines):
    assert sentences_of("\n".join(lines)) == lines


@pytest.mark.parametrize(
    "lines",
    [
        ["The letter was written by Maria and by Professor", "Kessler in May."],
        [
            "It was described at great length by Ito and Smith",
            "[12] in a paper that they wrote for the meeting",
            "of May.",
        ],
        [
            "We weigh the cost that he has to bear himself, and",
            "(ii) the good that it does to the neighbours who",
            "live.",
        ],
        [
            "Payments are to be made by all the tenants by March",
            "15) and never later than that, whatever the reason",
            "is.",
        ],
        ["It was first described at great length by Moen et al.", "(2011) in a book."],
        ["The tower", "(built in 1698) stands."],
    ],
)
def test_a_line_that_was_full_goes_on_whatever_the_next_begins_with(lines):
    assert sentences_of("\n".join(lines)) == ["\n".join(lines)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["First one ends here.", "(The second is in brackets.)", "The third follows."],
        ["It fell.", "[Note: it is old.]", "It rose."],
        ["He left.", "(The town was small (very small).)", "Then he came back."],
        ["He left.", "(“No,” she said, “stay!”)", "Then he came back."],
        ["Orbel Inc.", "(The firm was old.)", "It grew."],
        ["It was 1998.", "(The war was over.)"],
    ],
)
def test_a_bracket_that_holds_a_sentence_is_one(sentences):
    assert sentences_of(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "text",
    [
        "The tower (It was old.) fell.",
        "It was shown by Moen et al. (Oslo) and others.",
        "It holds 3 ft. (1 m) of water.",
        "It fell in May. (1998)",
        "It was seen by Orbel Inc. (Records were lost.)",
    ],
)
def test_a_bracket_within_a_sentence_or_behind_it_parts_nothing(text):
    assert sentences_of(text) == [text]


@pytest.mark.parametrize("text", ["", " ", "\n\r\n\t\u2028\u00a0"])
def test_a_text_without_characters_to_see_has_no_sentences(text):
    assert sentence_spans(text) == []


def test_a_sentence_across_two_windows_is_found_whole():
    long = "It " + "is very " * (WINDOW // 8) + "long."
    text = f"One. {long} Two. " * 3
    assert sentences_of(text) == ["One.", long, "Two."] * 3


def test_a_no_break_space_after_an_initial_is_survived():
    text = "Built by J.\u00a0Smeaton. Done.\u2028.-.\n。a"
    assert "Built by J.\u00a0Smeaton." in sentences_of(text)


@pytest.mark.parametrize("pieces", [[], ["Lost. "], ["One. ", "Two! ", "Three."]])
def test_a_library_that_loses_characters_is_not_believed(monkeypatch, pieces):
    monkeypatch.setattr(sentence_ends, "segment", lambda language, text: pieces)
    assert sentences_of("One. Two? 3.5 Three") == ["One.", "Two?", "3.5 Three"]


def test_a_library_that_breaks_inside_is_survived(monkeypatch):
    class PanicException(BaseException):
        pass

    def panic(language, text):
        raise PanicException

    monkeypatch.setattr(sentence_ends, "segment", panic)
    assert sentences_of("One. Two") == ["One.", "Two"]


def test_an_interruption_by_the_user_is_not_swallowed(monkeypatch):
    def interrupt(language, text):
        raise KeyboardInterrupt

    monkeypatch.setattr(sentence_ends, "segment", interrupt)
    with pytest.raises(KeyboardInterrupt):
        sentence_spans("One. Two")


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "word ",
        "This is a sentence about it. ",
        'a. (b) "c" d! ',
        "It fell. (The (a) [b] ",
        "It fell. [A (b.) ",
        "日本語の文章をここに書きます。",
        "\r\n",
    ],
)
def test_a_long_line_takes_time_in_proportion_to_its_length(unit):
    assert_linear(lambda characters: assert_exact(unit * (characters // len(unit))), 1_000_000)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("e\u0301", 1),
        ("\r\n", 1),
        ("\U0001f469\u200d\U0001f467", 1),
        ("\U0001f469\u200d\U0001f467", 2),
        ("\U0001f44d\U0001f3fd", 1),
        ("\U0001f1ea\U0001f1fa\U0001f1ea\U0001f1fa", 3),
        ("\u1112\u1161\u11ab", 2),
        ("か\u3099", 1),
    ],
)
def test_a_cut_inside_a_visible_character_is_recognised(text, position):
    assert splits_character(text, position)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("ab", 1),
        ("\n\r", 1),
        ("\n\u0301", 1),
        ("\u200d\u2028", 1),
        ("\U0001f1ea\U0001f1fa\U0001f1ea\U0001f1fa", 2),
        ("日本", 1),
        ("e\u0301", 0),
        ("e\u0301", 2),
        ("", 0),
    ],
)
def test_a_cut_between_visible_characters_is_allowed(text, position):
    assert not splits_character(text, position)


def test_trimming_leaves_the_characters_that_can_be_seen():
    assert trimmed("a \u00a0bc\r\n d", 1, 7) == Span(3, 5)
    assert trimmed("a \n b", 1, 4) is None

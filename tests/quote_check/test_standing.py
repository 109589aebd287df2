import pytest

from quote_check import standing as module
from quote_check.folding import Fold
from quote_check.searched_text import SearchedText
from quote_check.standing import CHANGE_GAP, OMISSION_GAP, Sought, standing_in, very_characters
from retriever.types import Document, Span

TEXT = (
    "Été: the ﬁrst “ﬂame” of 😀 1698 – a cafe\u0301 in\u00a0the  harbour, said Zoë. It burned for five days."
)


def stands(quote, text=TEXT):
    standing = standing_in(Sought.of(quote), SearchedText(Document("d", "D", text)))
    return None if standing is None else ([span.of(text) for span in standing.spans], standing.folds)


@pytest.mark.parametrize(
    ("quote", "shown", "folds"),
    [
        (
            'first "flame" of 😀 1698 - a café',
            ["ﬁrst “ﬂame” of 😀 1698 – a cafe\u0301"],
            {Fold.LIGATURES, Fold.QUOTATION_MARKS, Fold.DASHES, Fold.COMPOSITION},
        ),
        ("IN THE HARBOUR", ["in\u00a0the  harbour"], None),
        ("“in the harbour”", ["in\u00a0the  harbour"], {Fold.WHITE_SPACE, Fold.QUOTATION_MARKS}),
        ("e\u0301te\u0301", ["Été"], {Fold.COMPOSITION, Fold.FIRST_LETTER}),
        ("in the harbour...", ["in\u00a0the  harbour"], {Fold.WHITE_SPACE, Fold.OMISSIONS}),
        ("… burned for five [...]", ["burned for five"], {Fold.OMISSIONS}),
        (
            "in the harbour ... burned for",
            ["in\u00a0the  harbour", "burned for"],
            {Fold.WHITE_SPACE, Fold.OMISSIONS},
        ),
        ("[The fire] burned for five days.", ["burned for five days."], {Fold.CHANGES}),
        ("It [really] burned for five days", ["It", "burned for five days"], {Fold.CHANGES}),
        ("[i]t burned for five", ["t burned for five"], {Fold.CHANGES}),
    ],
)
def test_the_place_is_exact_where_only_looks_omissions_or_changes_differ(quote, shown, folds):
    assert stands(quote) == (shown, folds)


def test_half_a_ligature_is_no_place():
    assert stands("inal", "the ﬁnal word") is None
    assert stands("inal", "the ﬁnal inal") == (["inal"], frozenset())


@pytest.mark.parametrize(
    ("quote", "parting", "whole"),
    [
        ("Legal to  park", "It is illegal to park.", "It is legal to park."),
        ("5 MILLION people", "It has 15 million people.", "It has 5 million people."),
        ("10  degrees", "It was -10 degrees.", "It was 10 degrees."),
        ("the fine  is 10", "The fine is 100 euros.", "The fine is 10 euros."),
        ("the fine  is 10.", "The fine is 10.50 euros.", "The fine is 10."),
        ("It was ... 5 million", "It was or is 15 million.", "It was or is 5 million."),
    ],
)
def test_a_part_of_a_word_or_number_is_no_place_in_any_looks(quote, parting, whole):
    assert stands(quote, parting) is None
    assert stands(quote, whole) is not None


def test_brackets_of_the_text_are_no_change():
    assert stands("it fell [1] in 1703", "And it  fell [1] in 1703.") == (
        ["it  fell [1] in 1703"],
        {Fold.WHITE_SPACE},
    )


def test_the_parts_stand_in_order_and_short_ones_near_to_each_other():
    near = "one two" + " " + "x" * (OMISSION_GAP - 2) + " three four"
    assert stands("one two...three four", near) == (["one two", "three four"], {Fold.OMISSIONS})
    assert stands("one two...three four", "one two x" + near[7:]) is None
    assert stands("three four ... one two", near) is None
    assert stands("one two ... one two", "one two") is None


def test_long_parts_may_stand_anywhere_further_on():
    text = "one two three four five" + " x" * 5_000 + " six seven eight nine ten"
    assert stands("one two three four five ... six seven eight nine ten", text)[1] == {Fold.OMISSIONS}
    assert stands("six seven eight nine ten ... one two three four five", text) is None


def test_a_change_stands_for_little():
    text = "the company" + " " + "x" * (CHANGE_GAP - 2) + " built the tall tower"
    assert stands("the company [has] built the tall tower", text) is not None
    assert stands("the company [has] built the tall tower", text.replace("x b", "xx b")) is None


def test_a_change_may_be_written_in_one_with_a_word_and_nothing_else_parts_one():
    text = "Illegally built towers burned."
    assert stands("towers [here] illegal[ly] built towers burn[ed]", f"The {text}") is None
    assert stands("[i]llegally built towers burn[ed]", text)[0] == ["llegally built towers burn"]
    assert stands("[The] legally built towers burned", text) is None
    assert stands("legally built ... towers burned", text) is None
    assert stands("built towers ... bur", text) is None


def test_what_is_written_instead_may_stand_there_and_has_no_gaps():
    def spans(text):
        standing = standing_in(
            Sought.of("it fell in 1703", "it fell [1] in 1703"), SearchedText(Document("d", "D", text))
        )
        return standing and [span.of(text) for span in standing.spans]

    assert spans("It fell in 1703.") == ["It fell in 1703"]
    assert spans("It fell [1] in 1703.") == ["It fell [1] in 1703"]
    assert spans("It fell not in 1703.") is None


@pytest.mark.parametrize(
    "quote",
    [
        "The [pyramid] was [destroyed] in [1999] by [aliens]",  # no run of four words
        "The tower was built in [1999] by [aliens]",  # none beside the last change
        "The tower was [of gold and] built in [1999]",
        "built in 1698 by [the aliens of a far moon]",  # more words are changed than kept
        "built in 1698 by [aliens of the moon]",  # as many
    ],
)
def test_changes_that_leave_too_little_of_the_text_are_no_quote(quote):
    text = "The tower was built in 1698 by Henry Winstanley, of wood."
    assert stands(quote, text) is None
    assert stands("The tower was built in [1999] by Henry Winstanley", text) is not None


def test_a_long_run_of_spaces_is_folded_and_parts_nothing():
    quote = "a" + " " * 400_000 + "b [c] of the old tower ... the sea"
    assert [len(part.text) for part in Sought.of(quote).parts] == [400_002, 16, 7]
    assert stands("a" + " " * 400_000 + "b", "so a b") == (["a b"], {Fold.WHITE_SPACE})


def test_each_place_that_is_looked_at_asks_whether_to_go_on():
    asked = []
    text = "THE END " * 50
    standing = standing_in(
        Sought.of("The end"), SearchedText(Document("d", "D", text)), lambda: asked.append(1)
    )
    assert (standing.spans, standing.folds) == ((Span(0, 7),), None)
    assert len(asked) == 50


def test_of_several_runs_with_the_omission_the_shortest_is_meant():
    text = "to the east, to the west, and to the east, in the end"
    standing = standing_in(Sought.of("to the ... in the"), SearchedText(Document("d", "D", text)))
    assert standing.spans == (Span(30, 36), Span(43, 49))


def test_single_words_around_an_omission_would_fit_anywhere():
    assert stands("the ... of", "the tower of stone") is None


def test_of_equal_looks_the_place_without_other_letters_counts():
    assert stands("the fall", "The FALL and the  fall") == (["the  fall"], {Fold.WHITE_SPACE})


def test_very_characters_are_found_next_to_where_they_are_claimed():
    assert very_characters("ten", "ten ten ten", 5) == Span(4, 7)
    assert very_characters("ten", "ten ten ten", 10**9) == Span(8, 11)
    assert very_characters("ten", "ten often ten", 6) == Span(10, 13)
    assert very_characters("ten", "often tends", 1) is None
    assert very_characters("eleven", "ten ten", 0) is None
    assert very_characters("", "ten", 0) is None


def test_the_same_text_is_compared_once_and_no_more_than_64_different_ones(monkeypatch):
    compared = []
    compare = module.same_but_for
    monkeypatch.setattr(module, "same_but_for", lambda *given: compared.append(given) or compare(*given))
    assert stands("The Lamp went out", "the lamp went out. " * 900) == (["the lamp went out"], None)
    assert len(compared) == 1
    compared.clear()
    phrase = "abcdefgh lamp out"
    cased = [
        "".join(each.upper() if n >> at & 1 else each for at, each in enumerate(phrase))
        for n in range(1, 201)
    ]
    assert stands("ABCDEFGH LAMP OUT", ". ".join(cased)) == ([cased[0]], None)
    assert len(compared) == 64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quote_check.answer_text import read_answer
from quote_check.check import Form
from quote_check.corpus import GivenCorpus
from quote_check.marks import marks_in
from retriever.types import Document
from tests.growth import assert_linear

DOCUMENTS = (
    Document("eiffel", "Eiffel Tower", "The Eiffel Tower is a tower in Paris.", "https://example.org/eiffel"),
    Document("gustave", "Gustave Eiffel", "He was an engineer."),
)
CORPUS = GivenCorpus(DOCUMENTS)


def read(text, **given):
    return read_answer(text, CORPUS, **given)


def quotes(text, **given):
    return [(quote.form.value, quote.text, quote.document_ids) for quote in read(text, **given).quotes]


@pytest.mark.parametrize(
    ("text", "form", "quote"),
    [
        ('He said "it is a tower".', "quotation_marks", "it is a tower"),
        ("He said “it is a tower”.", "quotation_marks", "it is a tower"),
        ("Er sagte „es ist ein Turm“.", "quotation_marks", "es ist ein Turm"),
        ("Er sagte »es ist ein Turm«.", "quotation_marks", "es ist ein Turm"),
        ("Il dit « une tour » ici.", "quotation_marks", "une tour"),
        ('He said "it is a tower"¹.', "quotation_marks", "it is a tower"),
        ('He said "it is a tower."12', "quotation_marks", "it is a tower."),
        ("He said &quot;it is a tower&#34;.", "quotation_marks", "it is a tower"),
        ("He said &ldquo;it is a tower&#x201d;.", "quotation_marks", "it is a tower"),
        ('He said \\"it is a tower\\".', "quotation_marks", "it is a tower"),
        (
            '"it cost \\$5 \\[1\\] \\<b\\> \\&amp; more"',
            "quotation_marks",
            "it cost $5 [1] <b> &amp; more",
        ),
        ('It "is \\` so" and \\` here', "quotation_marks", "is ` so"),
        ("“It is “so-called” a tower”", "quotation_marks", "It is “so-called” a tower"),
        ("> It is a\n> **big** tower\n", "block_quote", "It is a\nbig tower"),
        ("> _It_ is __a__ ~~big~~ ___tower___.\n", "block_quote", "It is a big tower."),
        ("> _**It** is_ ~~_a_~~ **_big_** _~~tower~~_\n", "block_quote", "It is a big tower"),
        (
            "> max_waiting_s is _it, 2 _ 3, \\_a_ ~ ~~ b~~c\n",
            "block_quote",
            "max_waiting_s is _it, 2 _ 3, _a_ ~ ~~ b~~c",
        ),
        ("It is <q>a <b>big</b> &amp; tall tower</q>.", "html", "a big & tall tower"),
        ("<blockquote>\nIt is a tower\n</blockquote>", "html", "It is a tower"),
        ("<q>It is<br/>a <b>t</b>ower</q>", "html", "It is\na tower"),
        ("<blockquote><p>It is</p><p>a tower</p></blockquote>", "html", "It is\n\na tower"),
        ('A 5" nail and "a tower of 7" nails" stand', "quotation_marks", "a tower of 7"),
        ('He said,"It is so" of 4",6" nails', "quotation_marks", "It is so"),
        ('He said;"it is so"', "quotation_marks", "it is so"),
        ('"He said "so" to it"', "quotation_marks", 'He said "so" to it'),
    ],
)
def test_a_quote_is_found_in_every_form(text, form, quote):
    assert [(found, shown) for found, shown, _ in quotes(text)] == [(form, quote)]


@pytest.mark.parametrize(
    "text",
    [
        'Code `say "it is a tower"` here',
        'Code ``say `"it is a tower"` `` here',
        'Code `say\n"it is a tower"` here',
        '```\nsay "it is a tower"\n```',
        '~~~py\nprint("it is a tower")',
        '<a title="it is a big tower">so</a>',
        '[so](https://example.org "it is a big tower")',
        '<!-- "it is a big tower" -->',
        '"it is a big tower',
        'a 5" and a 6" nail',
        '"it starts here\n\nand ends there"',
        "> [!NOTE]\n> it is a big tower",
        '""',
    ],
)
def test_what_a_reader_does_not_see_as_quoted_is_no_quote(text):
    assert quotes(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "<q>It fell, <q>so it is</q>, <q>and so</q>.",
        "<blockquote>It <q>fell, <q>so it is</q>, <q>and so</q>.",
        "“It fell, “so it is”, “and so”.",
        '“It fell, «so it is», "and so".',
        '"It fell, "so it is", "and so".',
        "</q>” It fell, “so it is”, <q>and so</q>",
    ],
)
def test_what_never_closes_hides_no_quotes_after_it(text):
    assert [quote for _, quote, _ in quotes(text)] == ["so it is", "and so"]


def test_two_backticks_with_a_blank_line_between_are_no_code():
    assert quotes('A ` here.\n\nIt "is a big tower" ` there') == [("quotation_marks", "is a big tower", ())]


def test_quotes_that_notes_follow_are_each_its_own():
    text = 'He said "it is a tower"¹ and "so it was."2 And 5"6 "is no size".'
    assert [quote for _, quote, _ in quotes(text)] == ["it is a tower", "so it was.", "is no size"]


def test_of_nested_tags_the_outermost_counts():
    nested = "<q>a <q>b</q> c</q> <blockquote>d <q>e</blockquote> f</q>"
    assert [quote for _, quote, _ in quotes(nested)] == ["a b c", "d e"]


def test_a_tag_within_a_block_quote_leaves_all_of_the_quote_to_be_checked():
    nested = "> It is <q>a tower of iron</q>\nand <q>is tall</q>.\n\n<blockquote>\n> so it is\n</blockquote> <q>d</q>"
    assert [(form, quote) for form, quote, _ in quotes(nested)] == [
        ("block_quote", "It is a tower of iron\nand is tall."),
        ("html", "> so it is"),
        ("html", "d"),
    ]


def test_a_quote_knows_where_it_stands_in_the_answer():
    text = 'He said "it is a tower" and\n> so it is\n> indeed\n'
    inline, block = read(text).quotes
    assert inline.span.of(text) == "it is a tower"
    assert block.span.of(text) == "so it is\n> indeed"


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("[1]", ["1"]),
        ("[1, 3]", ["1", "3"]),
        ("[2-4]", ["2", "3", "4"]),
        ("[1–2; 7]", ["1", "2", "7"]),
        ("[1-9000]", ["1", "9000"]),
        ("[^note]", ["note"]),
        ("【1】", ["1"]),
        ("【2†eiffel】", ["2"]),
        ("[1](https://example.org/x)", ["1"]),
    ],
)
def test_marks_are_read_in_every_form(written, names):
    (mark,) = marks_in(f"so {written} it is")
    assert (list(mark.names), mark.written) == (names, written)


def test_what_is_in_brackets_and_no_number_is_no_mark():
    assert list(marks_in("[sic] [the company] [12345] [1a] []")) == []


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ('"it is a tower" [1].', ("eiffel",)),
        ('"it is a tower" [2].', ("gustave",)),
        ('"it is a tower" [1, 2].', ("eiffel", "gustave")),
        ('"it is a tower" [1][2].', ("eiffel", "gustave")),
        ('"it is a tower". [2]', ("gustave",)),
        ('"it is a tower." [2]\n', ("gustave",)),
        ('As [2] has it, "it is a tower".', ("gustave",)),
        ('"it is a tower" 【2†x】', ("gustave",)),
        ('"it is a tower" 【7†Gustave Eiffel】', ("gustave",)),
        ('"it is a tower" [1](https://example.org/eiffel)', ("eiffel",)),
        ('"it is a tower" [1]\n\n[1]: gustave', ("gustave",)),
        ('"it is a tower" [^a]\n\n[^a]: Gustave Eiffel, p. 4', ("gustave",)),
        ('"it is a tower" [1]\n\nSources:\n1. Gustave Eiffel\n', ("gustave",)),
        ('"it is a tower" [7]\n\n## References\n\n- [7] https://example.org/eiffel\n', ("eiffel",)),
        ('"it is a tower" [2]\n\n**Sources:**\n- Gustave Eiffel\n- Eiffel Tower\n', ("eiffel",)),
        ('"it is a tower" [4]\n\nSources: [3] Eiffel Tower, [4] Gustave Eiffel\n', ("gustave",)),
        ('"it is a tower" [1]\n\nSources:\n1. some report\n', ("eiffel",)),
        ('"it is a tower" [9].', ()),
        ('"it is a tower".', ()),
        ("<blockquote cite='https://example.org/eiffel'>it is a tower</blockquote>", ("eiffel",)),
        ("> it is a tower\n> — Gustave Eiffel", ("gustave",)),
        ("> it is a tower [2]", ("gustave",)),
        ("As it says [2]:\n\n> it is a tower", ("gustave",)),
    ],
)
def test_a_mark_names_its_document(text, cited):
    assert quotes(text)[0][1:] == (quotes(text)[0][1], cited)
    assert quotes(text)[0][1].startswith("it is a tower")


def test_each_quote_has_the_marks_that_follow_it():
    text = '"it is a tower" [1] and "he was an engineer" [2], so "says the book here" too.'
    assert [cited for *_, cited in quotes(text)] == [("eiffel",), ("gustave",), ("gustave",)]
    assert [cited for *_, cited in quotes('"it is a tower" and "so it is" [2].')] == [("gustave",)] * 2


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ('[1] says "a" and [2] says "b".', "12"),
        ('According to [1], "a", and [2] says "b".', "12"),
        ('[1] says "a", "b", and [2] adds "c".', "112"),
        ('"a" [1], and [2] says "b".', "12"),
        ('"a" is so, and [2] says "b".', "-2"),
        ('[1] says "a" and "b" [2].', "12"),
        ('"a" [1] and "b" [2].', "12"),
        ('"a" it says [1] and "b" it adds [2].', "12"),
        ('"a" it says [1], "b" [2] and "c" too.', "122"),
        ('“a [2]” and [1] says "b".', "21"),
        ('As [2] has it, "a", unlike [1].', "1"),
    ],
)
def test_a_mark_that_another_quote_follows_is_that_quotes(text, cited):
    names = {("eiffel",): "1", ("gustave",): "2", (): "-"}
    assert "".join(names[found] for *_, found in quotes(text)) == cited


@pytest.mark.parametrize(
    ("text", "unmarked", "cited"),
    [
        ("“so it [1] fell”", "so it fell", ("eiffel",)),
        ("“so it[1][2] fell.”", "so it fell.", ("eiffel", "gustave")),
        ("“so it [^a] fell”\n\n[^a]: Gustave Eiffel", "so it fell", ("gustave",)),
        ("“so it [1](https://example.org/eiffel) fell”", "so it fell", ("eiffel",)),
        ("“so it 【2†x】 fell”", "so it fell", ("gustave",)),
        ("“so it fell [1].”", "so it fell.", ("eiffel",)),
        ("> so it [1] fell\n> down [2]", "so it fell\ndown", ("eiffel", "gustave")),
        ("<q>so it [1] fell</q>", "so it fell", ("eiffel",)),
        ("So.[^a]\n\n[^a]: “so it [1] fell”, Gustave Eiffel", "so it fell", ("gustave",)),
        ("“so it fell in [1889] there”", None, ()),
        ("“so it fell” [1]", None, ("eiffel",)),
    ],
)
def test_a_mark_inside_a_quote_is_not_of_its_text(text, unmarked, cited):
    (quote,) = read(text).quotes
    assert (quote.unmarked, quote.document_ids) == (unmarked, cited)
    assert not read(text).unresolved


def test_a_bracketed_number_in_a_quote_is_a_mark_where_it_names_a_document_or_no_word_follows():
    text = "“so it fell in [1889] there”, “so [7] it fell [8] [9].” It fell [10]."
    first, second = read(text).quotes
    assert (first.text, first.unmarked) == ("so it fell in [1889] there", None)
    assert (second.text, second.unmarked) == ("so [7] it fell [8] [9].", "so [7] it fell.")
    assert [mark.written for mark in read(text).unresolved] == ["[8]", "[9]", "[10]"]
    assert "[1889]" in read(text).claims[0].text


def test_sources_that_are_given_come_first():
    assert quotes('"it is a tower" [1]', sources={"1": "gustave"}) == [
        ("quotation_marks", "it is a tower", ("gustave",))
    ]


def test_marks_that_name_nothing_are_told_with_their_place():
    text = "It is so [9]. And so [1, 8].\n\nSources:\n1. Eiffel Tower\n[5] nothing\n"
    assert [(mark.written, mark.span.of(text)) for mark in read(text).unresolved] == [
        ("[9]", "[9]"),
        ("[1, 8]", "[1, 8]"),
    ]


def test_a_sentence_with_a_mark_or_a_quote_is_a_claim():
    text = (
        'It is a tower. [1] He built it [2]. Nothing is cited here. The "so-called" one. He said "It is a tower. It '
        'is big" there.\n\nSources:\n1. Eiffel Tower\n'
    )
    claims = [(claim.text, claim.document_ids, claim.quotes) for claim in read(text).claims]
    assert claims == [
        ("It is a tower.", ("eiffel",), ()),
        ("He built it.", ("gustave",), ()),
        ('He said "It is a tower. It is big" there.', (), (1,)),
    ]
    assert [claim.span.of(text)[:8] for claim in read(text).claims] == ["It is a ", "He built", "He said "]


def test_the_quotes_of_footnotes_are_those_of_the_claims_that_they_back():
    text = 'It is a tower[^1].\n\n[^1]: "it is a big tower", Gustave Eiffel.\n'
    answer = read(text)
    assert [(quote.text, quote.document_ids) for quote in answer.quotes] == [
        ("it is a big tower", ("gustave",))
    ]
    assert [(claim.text, claim.quotes) for claim in answer.claims] == [("It is a tower.", (0,))]


@pytest.mark.parametrize(
    ("listed", "cited"),
    [
        ("[^1]: See the book,\n    page 9, of\n\tGustave Eiffel\n", ["gustave"]),
        ("[^1]:\n  Gustave Eiffel\n", ["gustave"]),
        ("Sources:\n1. The book of\n   Gustave Eiffel\n2. The book of\n   Eiffel Tower\n", ["gustave"]),
        ("Sources:\n- The book of\n  Gustave Eiffel\n- Eiffel Tower\n", ["gustave"]),
        ("[^1]: See the book\nof Gustave Eiffel.\n", ["eiffel"]),
        ("[^1]: See the book\n\n    of Gustave Eiffel.\n", ["eiffel"]),
    ],
)
def test_indented_lines_continue_what_an_answer_says_of_a_source(listed, cited):
    (claim,) = read(f"It is a tower[^1].\n\n{listed}").claims[:1]
    assert (claim.text, list(claim.document_ids)) == ("It is a tower.", cited)


def test_a_quote_in_a_line_that_continues_a_footnote_is_the_footnotes():
    answer = read('It is a tower[^1].\n\n[^1]: Gustave Eiffel said\n    "it is a big tower" once.\n')
    assert [(quote.text, quote.document_ids, quote.marks) for quote in answer.quotes] == [
        ("it is a big tower", ("gustave",), ("[^1]",))
    ]
    assert [(claim.text, claim.quotes) for claim in answer.claims] == [("It is a tower.", (0,))]


@given(st.text('a "“”[]1^:>\n\\<q/`*.«»&quot;【】', max_size=80))
def test_any_text_is_read_and_every_span_is_its(text):
    answer = read(text)
    for each in (*answer.quotes, *answer.claims, *answer.unresolved):
        assert each.span is None or each.span.of(text)
    for claim in answer.claims:
        assert all(0 <= number < len(answer.quotes) for number in claim.quotes)


@pytest.mark.parametrize(
    "piece",
    [
        *(
            '"',
            "“",
            "<q>",
            "[1]",
            "[",
            "> ",
            "`",
            "<!--",
            "](",
            "*a",
            "[^a]: x\n",
            "[^a]: x\n  y\n",
            "  y\n",
            "&quot;",
            "&quot;a b",
            '\\"a b ',
            "``a ` ",
            "`" * 9 + " ``a ```b ````c ",
            "\\",
            "Sources:\n",
            "【",
            "```\n",
        ),
        *('"a [7] b', "“a [7] b” [8] c ", '"a b" x [1] y ', "<q>a</q> [1]", "„“", "</q><q>", "[1889] “a b "),
    ],
)
def test_a_hostile_text_takes_time_in_proportion_to_its_length(piece):
    assert_linear(lambda characters: read(piece * (characters // len(piece))), 20_000)


def test_the_form_of_a_field_is_never_that_of_a_text():
    assert Form.FIELD.value not in {form for form, *_ in quotes('"it is a tower"\n> so\n<q>it</q>')}

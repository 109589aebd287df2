from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.cite import SentenceCiter
from app.answering.text.overlap import Overlap
from app.answering.types import Candidate, CandidateSource, Citation, Opinion, Quote, ScoredSpan
from retriever.encoder import HashingEncoder
from retriever.index_writer import index_in_memory
from retriever.lexical import LexicalIndex
from retriever.text.passages import PassageSettings
from retriever.text.units import quotable_spans
from retriever.types import Block, BlockKind, Document, Locator, LocatorKind, Passage, Span

TEXT = (
    "The tower was begun in 1698. 😀 Henry Winstanley designed it. It stood on the Eddystone rocks.\r\n"
    "A storm took it in 1703. The next tower was John Rudyerd's."
)


def candidate(answer: str, passage: Passage, pointer: Span | None = None) -> Candidate:
    return Candidate(answer, passage, CandidateSource.LM, -0.1, 1, pointer)


def passage_of(document: Document, end: int, start: int = 0) -> Passage:
    text = document.text
    return Passage(1, document.doc_id, document.title, text[start:end], Span(start, end), text[end:])


@pytest.fixture
def document() -> Document:
    return Document("d", "Eddystone", TEXT)


@pytest.fixture
def citer(document) -> SentenceCiter:
    lexical = LexicalIndex()
    lexical.add([(1, document.title, document.text)])
    return SentenceCiter(Overlap(lexical))


def quoted(citer: SentenceCiter, question: str, one: Candidate, document: Document) -> str | None:
    quotes = citer.cite(question, one, document)
    return quotes[0].text if quotes else None


def test_the_quote_is_the_sentence_that_holds_the_answer(citer, document):
    one = candidate("Henry Winstanley", passage_of(document, len(TEXT)))
    assert quoted(citer, "who designed the tower", one, document) == "😀 Henry Winstanley designed it."


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Ouagadougou", "Capital: Ouagadougou"),
        ("five", "2. Stir. Wait for five minutes."),
        ("tall", "It is tall."),
    ],
)
def test_the_quote_is_a_whole_step_or_line_where_the_answer_stands_in_one(citer, answer, expected):
    fields, steps = "Country: Burkina Faso\nCapital: Ouagadougou", "1. Pour.\n2. Stir. Wait for five minutes."
    text = f"{fields}\n\n{steps}\n\nIt is old. It is tall."
    document = Document("d", "Facts", text)
    at = text.index(answer)
    one = candidate(answer, passage_of(document, len(text)), Span(at, at + len(answer)))
    assert quoted(citer, "what is it", one, document) == expected


def test_the_documents_blocks_tell_what_is_quoted_whole(citer):
    text = "The oil. Buy it.\nThe lamp. Light it."
    spans = Span(0, 16), Span(17, 36)
    blocks = Block(BlockKind.ROW, spans[0]), Block(BlockKind.PARAGRAPH, spans[1])
    document = Document("d", "Lamps", text, blocks=blocks)
    for at, expected in ((9, "The oil. Buy it."), (27, "Light it.")):
        one = candidate("it", passage_of(document, len(text)), Span(at, at + 5))
        assert quoted(citer, "what", one, document) == expected


def test_an_answer_is_found_in_spite_of_soft_hyphens_and_ligatures(citer):
    text = "The com\u00adpany was foun\u00added by Hen\u00adrik Lar\u00adsen. The oﬃce is old."
    document = Document("d", "Company", text)
    one = candidate("Henrik Larsen", passage_of(document, len(text)))
    assert quoted(citer, "who founded the company", one, document) == text[: text.index(" The o")]
    one = candidate("office", passage_of(document, len(text)))
    assert quoted(citer, "what is old", one, document) == "The oﬃce is old."


def test_a_quote_may_run_into_the_continuation(citer, document):
    one = candidate("1703", passage_of(document, 28))
    (quote,) = citer.cite("when did a storm take it", one, document)
    assert quote.text == "A storm took it in 1703."
    assert quote.span.start > one.passage.span.end


def test_offsets_are_the_documents_not_the_passages(citer, document):
    one = candidate("John Rudyerd", passage_of(document, len(TEXT), start=29))
    (quote,) = citer.cite("whose was the next tower", one, document)
    assert TEXT[quote.span.start : quote.span.end] == quote.text == "The next tower was John Rudyerd's."


def test_two_sentences_are_quoted_when_only_together_they_hold_the_answer(citer, document):
    one = candidate("designed by Winstanley on the Eddystone rocks", passage_of(document, len(TEXT)))
    expected = "😀 Henry Winstanley designed it. It stood on the Eddystone rocks."
    assert quoted(citer, "what was it", one, document) == expected


def test_among_equal_sentences_the_questions_words_decide(citer, document):
    one = candidate("tower", passage_of(document, len(TEXT)))
    assert quoted(citer, "whose was the next one", one, document) == "The next tower was John Rudyerd's."


def test_in_an_article_about_the_answer_a_sentence_that_tells_more_beats_one_that_only_names_it(citer):
    text = "Henry Winstanley was an engineer. Winstanley designed the first tower on the Eddystone rocks."
    about = Document("w", "Henry Winstanley", text)
    one = candidate("Henry Winstanley", passage_of(about, len(text)))
    question = "who designed the first tower on the Eddystone rocks"
    assert quoted(citer, question, one, about) == text[34:]
    assert quoted(citer, "which engineer was it", one, about) == text[:33]


def test_an_answer_that_stands_nowhere_has_no_quote(citer, document):
    one = candidate("Christopher Wren", passage_of(document, len(TEXT)))
    assert citer.cite("who designed the tower", one, document) == ()


def test_a_pointer_decides_and_is_widened_to_whole_sentences(citer, document):
    start = TEXT.index("rocks")
    one = candidate("nonsense", passage_of(document, len(TEXT)), Span(start, TEXT.index("storm")))
    expected = "It stood on the Eddystone rocks.\r\nA storm took it in 1703."
    assert quoted(citer, "where", one, document) == expected


GATES = "Bill Gates is a businessman. He co-founded Microsoft with a friend. He is rich. Microsoft grew."
UNITS = [Span(0, 28), Span(29, 67), Span(68, 79), Span(80, 95)]


def quotes_about_gates(citer, *scores, question="who founded microsoft", title="Gates", **changes):
    document = Document("g", title, GATES)
    one = replace(candidate("Bill Gates", passage_of(document, len(GATES)), Span(0, 10)), **changes)
    evidence = [ScoredSpan(unit, score) for unit, score in zip(UNITS, scores, strict=False)]
    return [quote.text for quote in citer.cite(question, one, document, evidence)]


def test_a_unit_that_says_what_was_asked_is_quoted_beside_the_one_that_names_the_answer(citer):
    named, founded, _, grew = (unit.of(GATES) for unit in UNITS)
    assert quotes_about_gates(citer, 0.9, 0.6, 0.1, 0.2) == [named, founded]
    assert quotes_about_gates(citer, 0.9, 0.2, 0.1, 0.6) == [named, grew]
    assert quotes_about_gates(citer, 0.9, 0.6, 0.8, 0.2) == [
        named,
        founded,
    ]  # what tells nothing asked is no evidence


@pytest.mark.parametrize(
    ("scores", "given"),
    [
        ((0.9, 0.14, 0.1, 0.1), {}),  # nothing is likely enough
        ((), {}),  # no reader says
        ((0.9, 0.9), {"question": "who is a businessman"}),  # all that was asked is told
        ((0.9, 0.9), {"title": "Microsoft and who founded it", "question": "who founded microsoft"}),
        ((0.9, 0.9), {"source": CandidateSource.EVIDENCE}),
        ((0.9, 0.9), {"source": CandidateSource.VERDICT}),
    ],
)
def test_otherwise_one_unit_is_quoted(citer, scores, given):
    lexical_of_gates = LexicalIndex()
    lexical_of_gates.add([(1, "Gates", GATES)])
    citer = SentenceCiter(Overlap(lexical_of_gates))
    assert quotes_about_gates(citer, *scores, **given) == [UNITS[0].of(GATES)]


def test_the_second_quote_is_a_whole_unit_of_the_document_and_no_heading(citer):
    head, step = "Microsoft: who founded it", "Open the shop. He co-founded Microsoft. Close it."
    text = f"{head}\n\nBill Gates is rich.\n{step}"
    spans = [Span(0, len(head)), Span(len(head) + 2, text.index(step) - 1), Span(text.index(step), len(text))]
    kinds = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.ITEM
    document = Document("g", "Gates", text, blocks=tuple(map(Block, kinds, spans)))
    at = text.index("Bill")
    one = candidate("Bill Gates", passage_of(document, len(text)), Span(at, at + 10))
    within = text.index("He co-founded")
    evidence = [ScoredSpan(spans[0], 0.9), ScoredSpan(Span(within, within + 24), 0.6)]
    quotes = citer.cite("who founded microsoft", one, document, evidence)
    assert [quote.text for quote in quotes] == ["Bill Gates is rich.", step]


def test_a_quote_that_is_not_in_its_document_cannot_be_built(document):
    with pytest.raises(ValueError, match="ends beyond a text"):
        Quote(document, Span(3, len(TEXT) + 1))
    with pytest.raises(ValueError, match="does not stand at"):
        Citation("d", "t", None, "The tower", Span(1, 10), 0.5, document.sha256, TEXT)
    citation = Citation.of(Quote(document, Span(0, 9)), support=0.5)
    assert (citation.quote, citation.document_sha256) == ("The tower", document.sha256)


@given(
    st.text("ab. \n\r\0\u0301é😀\u2028", max_size=80),
    st.text("ab \u0301é😀", max_size=6),
    st.integers(1, 6),
)
def test_whatever_the_text_and_the_answer_a_quote_is_verbatim(text, answer, words):
    document = Document("d", "a", text)
    index = index_in_memory([document], HashingEncoder(), PassageSettings(words=words))
    citer = SentenceCiter(Overlap(index.lexical))
    for passage in index.store.each_passage():
        evidence = [ScoredSpan(unit, 0.5) for unit in quotable_spans(document, passage.span)]
        for quote in citer.cite("a b", candidate(answer, passage), document, evidence):
            citation = Citation.of(quote, support=1.0)
            assert text[citation.span.start : citation.span.end] == citation.quote
            assert passage.span.start <= citation.span.start
            assert citation.span.end <= passage.span.start + len(passage.window)


@pytest.mark.parametrize(
    ("lm_points", "quote"), [(False, "A storm took it in 1703."), (True, "It stood on the Eddystone rocks.")]
)
def test_the_language_models_pointer_counts_where_it_is_asked_for(document, lm_points, quote):
    lexical = LexicalIndex()
    lexical.add([(1, document.title, document.text)])
    citer = SentenceCiter(Overlap(lexical), lm_points=lm_points)
    rocks, storm = (TEXT.index(word) for word in ("Eddystone rocks", "1703"))
    opinion = Opinion(-1.0, 2, 0.9, 0.1, Span(rocks, rocks + 9), 0.8)
    one = candidate("1703", passage_of(document, len(TEXT)), Span(storm, storm + 4))
    assert quoted(citer, "where", replace(one, opinion=opinion), document) == quote
    elsewhere = replace(opinion, pointer=None, pointed=0.0)  # it did not read this passage
    assert quoted(citer, "where", replace(one, opinion=elsewhere), document) == "A storm took it in 1703."


@pytest.mark.parametrize("source", [CandidateSource.CONSTRAINED, CandidateSource.CLAIM])
def test_what_the_language_model_quoted_itself_is_taken_as_it_is(citer, document, source):
    start = TEXT.index("storm")
    one = candidate("1703", passage_of(document, len(TEXT)), Span(start, start + 17))
    found = quoted(citer, "when", replace(one, source=source), document)
    assert found == "storm took it in "


@pytest.mark.parametrize(
    ("locator", "url"),
    [
        (Locator.page(12), "https://e.org/a.pdf#page=12"),
        (Locator(LocatorKind.ANCHOR, "set up"), "https://e.org/a.pdf#set%20up"),
        (Locator.line(40), "https://e.org/a.pdf"),
        (None, "https://e.org/a.pdf"),
    ],
)
def test_a_citation_says_where_the_quote_begins_in_the_original_and_opens_there(locator, url):
    blocks = (
        Block(BlockKind.HEADING, Span(0, 6), locator=Locator.page(1)),
        Block(BlockKind.PARAGRAPH, Span(8, 27), ("Boiler",), locator),
    )
    document = Document("d", "t", "Boiler\n\nServiced every May.", "https://e.org/a.pdf", blocks=blocks)
    citation = Citation.of(Quote(document, Span(17, 26)), support=0.5)
    assert (citation.locator, citation.url) == (locator, url)
    assert Citation.of(Quote(replace(document, blocks=()), Span(17, 26)), support=0.5).locator is None


def test_an_address_that_names_a_place_already_is_kept():
    block = Block(BlockKind.PARAGRAPH, Span(0, 5), (), Locator.page(2))
    document = Document("d", "t", "Text.", "https://e.org/a#b", blocks=(block,))
    assert Citation.of(Quote(document, Span(0, 5)), support=0.5).url == "https://e.org/a#b"
    unpublished = replace(document, url=None)
    assert Citation.of(Quote(unpublished, Span(0, 5)), support=0.5).url is None

import pytest
from quote_check.claims import ClaimedQuote

from quote_check.check import (
    NEARLY_FROM,
    Verdict,
    check_with_holder,
    find_holders,
)
from quote_check.corpus import PASSAGES_SEEN, Corpus
from retriever.index_writer import index_in_memory
from retriever.passages import PassageSettings
from retriever.types import Document, Span

EDDYSTONE, PHAROS, LISBON = "lighthouses/eddystone", "lighthouses/pharos", "trams/lisbon"
WINSTANLEY = "Henry Winstanley built the first tower in 1698."


def check_quotes(quotes, corpus):
    """The findings on these quotes, as an audit makes them."""
    holders = find_holders(quotes, corpus)
    return [check_with_holder(quote, corpus, holders.get(quote.text)) for quote in quotes]


def check_quote(quote, corpus):
    (finding,) = check_quotes([quote], corpus)
    return finding


@pytest.fixture
def corpus(index):
    return Corpus(index.store, index.lexical)


def corpus_of(encoder, *texts):
    documents = [Document(f"d{number}", f"D {number}", text) for number, text in enumerate(texts)]
    index = index_in_memory(documents, encoder, PassageSettings(words=20, continuation_words=0))
    return Corpus(index.store, index.lexical)


def test_the_exact_characters_of_the_named_document_are_verbatim(corpus):
    finding = check_quote(ClaimedQuote(WINSTANLEY, EDDYSTONE, (63, 110)), corpus)
    assert finding.verdict is Verdict.VERBATIM
    assert (finding.nearest.doc_id, finding.nearest.title) == (EDDYSTONE, "Eddystone Lighthouse")
    assert (finding.nearest.span, finding.nearest.text) == (Span(63, 110), WINSTANLEY)
    assert (finding.nearest.similarity, finding.nearest.exact) == (1.0, True)
    assert (finding.offsets_match, finding.unknown_document, finding.sound) == (True, False, True)


def test_without_a_named_document_any_may_hold_it(corpus):
    finding = check_quote(ClaimedQuote("climbs to the castle"), corpus)
    assert finding.verdict is Verdict.VERBATIM
    assert (finding.nearest.doc_id, finding.nearest.span) == (LISBON, Span(28, 48))
    assert (finding.offsets_match, finding.sound) == (None, True)


@pytest.mark.parametrize(
    "offsets", [(64, 111), (0, 47), (63, 109), (-1, -1), (110, 63), (63, 10**30), (0, 0)]
)
def test_verbatim_text_at_other_offsets_is_told(corpus, offsets):
    finding = check_quote(ClaimedQuote(WINSTANLEY, EDDYSTONE, offsets), corpus)
    assert (finding.verdict, finding.offsets_match, finding.sound) == (Verdict.VERBATIM, False, False)
    assert finding.nearest.span == Span(63, 110)


@pytest.mark.parametrize(
    ("offsets", "span"),
    [((8, 11), Span(8, 11)), ((7, 10), Span(8, 11)), ((5, 8), Span(4, 7)), ((10**30, 10**31), Span(12, 15))],
)
def test_of_several_occurrences_the_one_nearest_to_the_claim_is_shown(encoder, offsets, span):
    corpus = corpus_of(encoder, "ten ten ten ten")
    finding = check_quote(ClaimedQuote("ten", "d0", offsets), corpus)
    assert (finding.nearest.span, finding.offsets_match) == (span, offsets == (span.start, span.end))


@pytest.mark.parametrize(("offsets", "match"), [((4, 9), True), ((4, 12), False), ((-5, 9), False)])
def test_offsets_are_no_python_slice(encoder, offsets, match):
    corpus = corpus_of(encoder, "the tower")
    assert check_quote(ClaimedQuote("tower", "d0", offsets), corpus).offsets_match is match


def test_offsets_do_not_count_from_the_end(encoder):
    corpus = corpus_of(encoder, "the tower.")
    assert check_quote(ClaimedQuote("tower", "d0", (-6, -1)), corpus).offsets_match is False


def test_a_reason_names_both_places_only_where_they_differ(corpus):
    right = check_quote(ClaimedQuote(WINSTANLEY, EDDYSTONE, (63, 110)), corpus)
    assert right.reason == "stands word for word in the named document"
    wrong = check_quote(ClaimedQuote(WINSTANLEY, EDDYSTONE, (1, 48)), corpus)
    assert wrong.reason == "stands word for word in the named document, but at 63 to 110, not at 1 to 48"


@pytest.mark.parametrize(
    "quote",
    [
        "henry  winstanley BUILT\nthe first tower in 1698.",
        "“Henry Winstanley built the first tower in 1698.”",
        "\ufeffHenry Win\u00adstanley built the \ufb01rst tower in 1698.",
        "Henry Winstanley built\u00a0the first tower in １６９８.",
    ],
)
@pytest.mark.parametrize("named", [EDDYSTONE, None])
def test_what_differs_only_in_looks_is_nearly_verbatim(corpus, quote, named):
    finding = check_quote(ClaimedQuote(quote, named), corpus)
    assert finding.verdict is Verdict.NEARLY
    assert (finding.nearest.text, finding.nearest.span) == (WINSTANLEY, Span(63, 110))
    assert (finding.nearest.similarity, finding.nearest.exact, finding.sound) == (1.0, False, False)
    assert finding.reason == "only looks or marked omissions differ"


@pytest.mark.parametrize("named", [EDDYSTONE, None])
def test_a_changed_word_is_nearly_verbatim(corpus, named):
    quote = "Henry Winstanley made the first tower in 1698."
    finding = check_quote(ClaimedQuote(quote, named, (63, 110) if named else None), corpus)
    assert finding.verdict is Verdict.NEARLY
    assert (finding.nearest.text, finding.nearest.span) == (WINSTANLEY, Span(63, 110))
    assert finding.nearest.similarity == pytest.approx(1 - 9 / 93)  # made / built: nothing in common
    assert finding.offsets_match is (False if named else None)
    assert finding.reason == "some words differ"


def test_an_exact_quote_of_another_document_is_told(corpus):
    finding = check_quote(ClaimedQuote(WINSTANLEY, LISBON, (0, 47)), corpus)
    assert (finding.verdict, finding.nearest.doc_id) == (Verdict.ANOTHER_DOCUMENT, EDDYSTONE)
    assert (finding.nearest.exact, finding.offsets_match) == (True, False)
    assert finding.reason == "the named document does not hold it; another holds it word for word"


def test_a_near_quote_of_another_document_is_told_with_its_similarity(corpus):
    finding = check_quote(ClaimedQuote("Henry Winstanley made the first tower in 1698.", LISBON), corpus)
    assert (finding.verdict, finding.nearest.span) == (Verdict.ANOTHER_DOCUMENT, Span(63, 110))
    assert NEARLY_FROM <= finding.nearest.similarity < 1
    assert finding.reason == "the named document does not hold it; another nearly does: some words differ"


def test_an_unknown_document_is_told_and_all_others_are_searched(corpus):
    exact = check_quote(ClaimedQuote(WINSTANLEY, "nowhere", (63, 110)), corpus)
    assert (exact.verdict, exact.unknown_document) == (Verdict.ANOTHER_DOCUMENT, True)
    assert (exact.nearest.doc_id, exact.offsets_match) == (EDDYSTONE, False)
    assert exact.reason == "the index has no document 'nowhere'; another holds it word for word"
    made_up = check_quote(ClaimedQuote("Bananas orbit the moon of Pluto.", "nowhere"), corpus)
    assert (made_up.verdict, made_up.unknown_document) == (Verdict.FABRICATED, True)


@pytest.mark.parametrize("named", [EDDYSTONE, LISBON, None])
def test_a_made_up_quote_is_fabricated_and_shows_the_nearest_real_words(corpus, named):
    quote = "Henry Winstanley sailed to Lisbon and rode a tram."
    finding = check_quote(ClaimedQuote(quote, named), corpus)
    assert (finding.verdict, finding.reason) == (Verdict.FABRICATED, "nothing in the index is as near as 90%")
    assert 0 < finding.nearest.similarity < NEARLY_FROM
    document = corpus.document(finding.nearest.doc_id)
    assert finding.nearest.span.of(document.text) == finding.nearest.text


@pytest.mark.parametrize("quote", ["", " \n\u00a0"])
@pytest.mark.parametrize("named", [EDDYSTONE, None])
def test_an_empty_quote_is_found_nowhere(corpus, quote, named):
    finding = check_quote(ClaimedQuote(quote, named), corpus)
    assert (finding.verdict, finding.nearest) == (Verdict.FABRICATED, None)
    assert finding.reason == "the quote is empty"


def test_a_quote_without_anything_in_common_has_no_nearest_span(corpus):
    assert check_quote(ClaimedQuote("日本語の引用"), corpus).nearest is None


def test_a_quote_that_is_longer_than_its_document_is_not_near_it(encoder):
    corpus = corpus_of(encoder, "The tower burned down.")
    quote = "The tower burned down. " + "Then they built another, taller and of stone. " * 5
    finding = check_quote(ClaimedQuote(quote, "d0"), corpus)
    assert (finding.verdict, finding.nearest.text) == (Verdict.FABRICATED, "The tower burned down.")
    assert finding.nearest.similarity < 0.2


def test_two_sentences_of_different_documents_are_fabricated(corpus):
    quote = f"{WINSTANLEY} Earthquakes ruined it between 956 and 1323."
    assert check_quote(ClaimedQuote(quote), corpus).verdict is Verdict.FABRICATED


def test_looks_in_the_named_document_outweigh_the_very_characters_elsewhere(encoder):
    corpus = corpus_of(encoder, "He called it “a folly”.", 'She called it "a folly".')
    named = check_quote(ClaimedQuote('called it "a folly".', "d0"), corpus)
    assert (named.verdict, named.nearest.doc_id, named.nearest.span) == (Verdict.NEARLY, "d0", Span(3, 23))
    unnamed = check_quote(ClaimedQuote('called it "a folly".'), corpus)
    assert (unnamed.verdict, unnamed.nearest.doc_id, unnamed.nearest.span) == (
        Verdict.VERBATIM,
        "d1",
        Span(4, 24),
    )


def test_other_words_in_the_named_document_do_not(encoder):
    corpus = corpus_of(encoder, "The old tower was built in 1698.", "The old tower was built in 1699.")
    finding = check_quote(ClaimedQuote("The old tower was built in 1699.", "d0"), corpus)
    assert (finding.verdict, finding.nearest.doc_id) == (Verdict.ANOTHER_DOCUMENT, "d1")


def test_the_most_alike_candidate_is_shown_and_the_named_one_on_a_tie(encoder):
    text = "Boats carried granite to the reef in the {} of 1757."
    corpus = corpus_of(
        encoder, text.format("winters"), text.format("spring"), text.format("spring") + " End."
    )
    best = check_quote(ClaimedQuote(text.format("springs")), corpus)
    assert (best.verdict, best.nearest.text) == (Verdict.NEARLY, text.format("spring"))
    tied = check_quote(ClaimedQuote(text.format("springs"), "d2"), corpus)
    assert (tied.verdict, tied.nearest.doc_id) == (Verdict.NEARLY, "d2")


def test_that_a_quote_stands_nowhere_is_a_fact_whatever_the_words_find(encoder):
    corpus = corpus_of(encoder, "A tower.", "A crimson lantern.", "Another crimson lantern.")
    assert corpus.candidates("rimson lanter") == []
    finding = check_quote(ClaimedQuote("rimson lanter"), corpus)
    assert (finding.verdict, finding.nearest.doc_id) == (Verdict.VERBATIM, "d1")
    assert finding.nearest.span == Span(3, 16)


def test_all_quotes_share_one_reading_of_the_documents(corpus, monkeypatch):
    quotes = [
        ClaimedQuote(WINSTANLEY, LISBON),
        ClaimedQuote("made up"),
        ClaimedQuote("in 1994", PHAROS),
        ClaimedQuote(WINSTANLEY, EDDYSTONE),
        ClaimedQuote(""),
    ]
    read = []
    holders = find_holders(quotes, corpus, lambda steps=1: read.append(steps))
    assert holders == {WINSTANLEY: EDDYSTONE}
    assert sum(read) == len(corpus) == 3
    verdicts = [check_with_holder(quote, corpus, holders.get(quote.text)).verdict for quote in quotes]
    assert verdicts == [finding.verdict for finding in check_quotes(quotes, corpus)]
    assert verdicts == [
        Verdict.ANOTHER_DOCUMENT,
        Verdict.FABRICATED,
        Verdict.VERBATIM,
        Verdict.VERBATIM,
        Verdict.FABRICATED,
    ]


def test_a_long_quote_is_searched_in_parts_from_start_to_end(encoder):
    texts = [" ".join(f"w{number}n{word}" for word in range(40)) for number in range(30)]
    corpus = corpus_of(encoder, *texts)
    found = {document.doc_id for document in corpus.candidates(" ".join(texts))}
    assert {"d0", "d28"} <= found
    assert len(found) <= PASSAGES_SEEN
    assert [document.doc_id for document in corpus.candidates("w7n3 w7n4")] == ["d7"]

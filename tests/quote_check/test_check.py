from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from common.deadline import Deadline
from common.errors import DeadlineExceededError
from quote_check.boundaries import in_whole_words
from quote_check.check import NEARLY_FROM, Form, QuoteToCheck, Verdict, check_quote, find_holders
from quote_check.corpus import PASSAGES_SEEN, GivenCorpus, IndexCorpus
from quote_check.folding import Fold, folded
from quote_check.searched_text import LEAST_WORDS
from retriever.index_writer import index_in_memory
from retriever.text.passages import PassageSettings
from retriever.types import Document, Span

EDDYSTONE, PHAROS, LISBON = "lighthouses/eddystone", "lighthouses/pharos", "trams/lisbon"
WINSTANLEY = "Henry Winstanley built the first tower in 1698."


@pytest.fixture(params=["index", "given"])
def corpus(request, index, documents):
    return IndexCorpus(index.store, index.lexical) if request.param == "index" else GivenCorpus(documents)


@pytest.fixture
def indexed(index):
    return IndexCorpus(index.store, index.lexical)


def index_of(encoder, *texts):
    documents = [Document(f"d{number}", f"D {number}", text) for number, text in enumerate(texts)]
    index = index_in_memory(documents, encoder, PassageSettings(words=20, continuation_words=0))
    return IndexCorpus(index.store, index.lexical)


def quote_of(text, *cited, offsets=None, form=Form.FIELD):
    return QuoteToCheck(text, tuple(name for name in cited if name), offsets, form)


def test_the_exact_characters_of_the_cited_document_are_verbatim(corpus):
    finding = check_quote(quote_of(WINSTANLEY, EDDYSTONE, offsets=(63, 110)), corpus)
    assert (finding.verdict, finding.folds, finding.offsets_match) == (Verdict.VERBATIM, (), True)
    assert (finding.found.document.doc_id, finding.found.spans) == (EDDYSTONE, (Span(63, 110),))
    assert (finding.found.texts, finding.found.likeness) == ([WINSTANLEY], 1.0)
    assert finding.reason == "stands word for word in the cited document"


def test_without_a_cited_document_any_may_hold_it(corpus):
    finding = check_quote(quote_of("climbs to the castle"), corpus)
    assert (finding.verdict, finding.reason) == (Verdict.VERBATIM, "stands word for word")
    assert (finding.found.document.doc_id, finding.found.spans) == (LISBON, (Span(28, 48),))


def test_of_several_cited_documents_one_is_enough(corpus):
    finding = check_quote(quote_of(WINSTANLEY, PHAROS, EDDYSTONE), corpus)
    assert (finding.verdict, finding.found.document.doc_id) == (Verdict.VERBATIM, EDDYSTONE)


@pytest.mark.parametrize(
    "offsets", [(64, 111), (0, 47), (63, 109), (-1, -1), (110, 63), (63, 10**30), (0, 0)]
)
def test_verbatim_text_at_other_offsets_is_told(corpus, offsets):
    finding = check_quote(quote_of(WINSTANLEY, EDDYSTONE, offsets=offsets), corpus)
    assert (finding.verdict, finding.offsets_match) == (Verdict.VERBATIM, False)
    assert finding.found.spans == (Span(63, 110),)
    assert finding.reason.endswith(f", but at 63 to 110, not at {offsets[0]} to {offsets[1]}")


def test_offsets_do_not_count_from_the_end():
    corpus = GivenCorpus([Document("d", "", "the tower.")])
    assert check_quote(quote_of("tower", "d", offsets=(-6, -1)), corpus).offsets_match is False


@pytest.mark.parametrize(
    ("quote", "folds"),
    [
        ("henry  Winstanley built\nthe first tower in 1698.", (Fold.FIRST_LETTER, Fold.WHITE_SPACE)),
        ("“Henry Winstanley built the first tower in 1698.”", (Fold.QUOTATION_MARKS,)),
        ("\ufeffHenry Win\u00adstanley built the \ufb01rst tower in 1698", (Fold.INVISIBLE, Fold.LIGATURES)),
    ],
)
@pytest.mark.parametrize("cited", [EDDYSTONE, None])
def test_what_differs_only_in_looks_is_verbatim_and_the_looks_are_said(corpus, quote, folds, cited):
    finding = check_quote(quote_of(quote, cited), corpus)
    assert (finding.verdict, finding.folds) == (Verdict.VERBATIM, folds)
    assert WINSTANLEY.startswith(finding.found.texts[0])
    assert finding.reason.endswith(f"but for {', '.join(fold.replace('_', ' ') for fold in folds)}")


@pytest.mark.parametrize("quote", [WINSTANLEY.upper(), "Henry Winstanley built the first tower in １６９８."])
def test_capitals_and_other_signs_are_nearly_verbatim(corpus, quote):
    finding = check_quote(quote_of(quote, EDDYSTONE), corpus)
    assert (finding.verdict, finding.found.likeness) == (Verdict.NEARLY, 1.0)
    assert finding.reason == "only looks differ, such as capitals"


@pytest.mark.parametrize(
    ("quote", "reason"),
    [
        ("Henry Winstanley made the first tower in 1698.", "some words differ"),
        ("Henry Winstanley built the first tower in 1699.", "some words differ, a number among them"),
        ("Henry Winstanley built not the first tower in 1698.", "some words differ, a negation among them"),
    ],
)
@pytest.mark.parametrize("cited", [EDDYSTONE, None])
def test_a_changed_word_is_nearly_verbatim_and_its_kind_is_said(corpus, quote, reason, cited):
    finding = check_quote(quote_of(quote, cited), corpus)
    assert (finding.verdict, finding.reason) == (Verdict.NEARLY, reason)
    assert (finding.found.texts, finding.found.spans) == ([WINSTANLEY], (Span(63, 110),))
    assert NEARLY_FROM <= finding.found.likeness < 1


def test_parts_in_their_order_are_verbatim_each_with_its_place(corpus, documents):
    finding = check_quote(
        quote_of("Henry Winstanley built [a] first tower in 1698 ... its builder died", EDDYSTONE), corpus
    )
    assert (finding.verdict, finding.folds) == (Verdict.VERBATIM, (Fold.CHANGES, Fold.OMISSIONS))
    assert finding.found.texts == ["Henry Winstanley built", "first tower in 1698", "its builder died"]
    text = documents[0].text
    assert all(
        span.of(text) == shown for span, shown in zip(finding.found.spans, finding.found.texts, strict=True)
    )


def test_an_exact_quote_of_another_document_is_told(corpus):
    finding = check_quote(quote_of(WINSTANLEY, LISBON, offsets=(0, 47)), corpus)
    assert finding.verdict is Verdict.FROM_ANOTHER_DOCUMENT
    assert (finding.found.document.doc_id, finding.offsets_match) == (EDDYSTONE, False)
    assert finding.reason == "the cited document does not hold it; another holds it word for word"


def test_a_near_quote_of_another_document_is_nearly_verbatim(corpus):
    finding = check_quote(quote_of("Henry Winstanley made the first tower in 1698.", LISBON), corpus)
    assert (finding.verdict, finding.found.document.doc_id) == (Verdict.NEARLY, EDDYSTONE)
    assert finding.reason == "the cited document does not hold it; another nearly does: some words differ"


def test_an_unknown_document_is_told_and_all_others_are_searched(corpus):
    exact = check_quote(quote_of(WINSTANLEY, "nowhere"), corpus)
    assert (exact.verdict, exact.unknown) == (Verdict.FROM_ANOTHER_DOCUMENT, ("nowhere",))
    assert exact.reason == "there is no document 'nowhere'; another holds it word for word"
    made_up = check_quote(quote_of("Bananas orbit the moon of Pluto.", "nowhere"), corpus)
    assert (made_up.verdict, made_up.unknown) == (Verdict.FABRICATED, ("nowhere",))


@pytest.mark.parametrize("cited", [EDDYSTONE, LISBON, None])
def test_a_made_up_quote_is_fabricated_and_shows_the_nearest_real_words(corpus, cited):
    quote = "Henry Winstanley sailed to Lisbon and rode a tram."
    finding = check_quote(quote_of(quote, cited), corpus)
    assert (finding.verdict, finding.reason) == (Verdict.FABRICATED, "nothing is as near as 90%")
    assert 0 < finding.found.likeness < NEARLY_FROM
    (span,) = finding.found.spans
    assert finding.found.texts == [span.of(finding.found.document.text)]


def test_two_sentences_of_different_documents_are_fabricated(corpus):
    quote = f"{WINSTANLEY} Earthquakes ruined it between 956 and 1323."
    assert check_quote(quote_of(quote), corpus).verdict is Verdict.FABRICATED


@pytest.mark.parametrize("quote", ["", " \n\u00a0"])
def test_an_empty_quote_is_found_nowhere(corpus, quote):
    finding = check_quote(quote_of(quote, EDDYSTONE), corpus)
    assert (finding.verdict, finding.found, finding.reason) == (
        Verdict.FABRICATED,
        None,
        "the quote is empty",
    )


@pytest.mark.parametrize("form", Form)
def test_a_few_words_between_quotation_marks_are_too_short_to_tell(corpus, form):
    finding = check_quote(quote_of("never really so", EDDYSTONE, form=form), corpus)
    short = form in (Form.QUOTATION_MARKS, Form.HTML)
    assert finding.verdict is (Verdict.TOO_SHORT if short else Verdict.FABRICATED)
    enough = " ".join(WINSTANLEY.split()[:LEAST_WORDS])
    assert check_quote(quote_of(enough, EDDYSTONE, form=form), corpus).verdict is Verdict.VERBATIM


def test_the_time_allowed_ends_a_check(corpus):
    with pytest.raises(DeadlineExceededError):
        check_quote(quote_of(WINSTANLEY, EDDYSTONE), corpus, deadline=Deadline(0.0))


def test_what_the_words_do_not_find_is_found_by_reading_every_document(encoder):
    corpus = index_of(encoder, "A tower.", "灯塔在海边很高。", "那座灯塔在海边。")
    quote = quote_of("塔在海边")
    assert list(corpus.candidates("塔在海边")) == []
    assert check_quote(quote, corpus).verdict is Verdict.FABRICATED
    read = []
    holders = corpus.holders(find_holders([quote], corpus), lambda steps=1: read.append(steps))
    assert (holders, sum(read)) == ({"塔在海边": "d1"}, 3)
    finding = check_quote(quote, corpus, holder=holders["塔在海边"])
    assert (finding.verdict, finding.found.document.doc_id) == (Verdict.VERBATIM, "d1")
    assert finding.found.spans == (Span(1, 5),)


def test_only_what_no_cited_document_holds_is_looked_for_in_all(indexed):
    quotes = [quote_of(WINSTANLEY, EDDYSTONE), quote_of("in 1994", LISBON), quote_of("made up"), quote_of("")]
    assert find_holders(quotes, indexed) == {"in 1994", "made up"}


def test_what_parts_a_word_is_held_by_no_document(encoder):
    corpus = index_of(encoder, "It is illegal to park.", "It is legal to park.")
    quote = quote_of("legal to park", "d0")
    assert find_holders([quote], corpus) == {"legal to park"}
    assert corpus.holders(["legal to park"], lambda steps=1: None) == {"legal to park": "d1"}


def test_a_quote_with_marks_is_held_by_what_has_it_with_or_without_them(encoder):
    corpus = index_of(encoder, "It fell in 1703.", "It fell [1] in 1703.", "It fell not in 1703.")
    quote = QuoteToCheck("fell [1] in 1703", ("d2",), unmarked="fell in 1703")
    assert find_holders([quote], corpus) == {"fell in 1703", "fell [1] in 1703"}
    for doc_id, shown in (("d0", "fell in 1703"), ("d1", "fell [1] in 1703")):
        finding = check_quote(replace(quote, document_ids=(doc_id,)), corpus)
        assert (finding.verdict, finding.folds, finding.found.texts) == (Verdict.VERBATIM, (), [shown])
        assert find_holders([replace(quote, document_ids=(doc_id,))], corpus) == set()


@pytest.mark.parametrize(
    ("quote", "text", "reason", "shown"),
    [
        (
            "legal to park here at night",
            "It is illegal to park here at night.",
            "some words differ",
            "illegal to park here at night.",
        ),
        (
            "5 million people live in the city",
            "Some 15 million people live in the city.",
            "some words differ, a number among them",
            "15 million people live in the city.",
        ),
        (
            "10 degrees were seen here in winter",
            "And -10 degrees were seen here in winter.",
            "no word differs, but signs do: -",
            "-10 degrees were seen here in winter.",
        ),
        (
            "The fine for parking is 10",
            "The fine for parking is 100 euros.",
            "some words differ, a number among them",
            "The fine for parking is 100",
        ),
        (
            "The drug can",
            "The drug can't be given.",
            "some words differ, a negation among them",
            "The drug can't",
        ),
    ],
)
@pytest.mark.parametrize("cited", ["d", None])
def test_a_quote_that_parts_a_word_or_number_is_nearly_verbatim(quote, text, reason, shown, cited):
    finding = check_quote(quote_of(quote, cited), GivenCorpus([Document("d", "D", text)]))
    assert (finding.verdict, finding.reason, finding.found.texts) == (Verdict.NEARLY, reason, [shown])


def test_a_long_quote_is_searched_in_parts_from_start_to_end(encoder):
    texts = [" ".join(f"w{number}n{word}" for word in range(40)) for number in range(30)]
    corpus = index_of(encoder, *texts)
    found = {searched.document.doc_id for searched in corpus.candidates(" ".join(texts))}
    assert {"d0", "d28"} <= found
    assert len(found) <= PASSAGES_SEEN


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("see lighthouses/eddystone.", EDDYSTONE),
        ("Pharos of Alexandria, retrieved in May", PHAROS),
        ("https://example.org/eddystone (2024)", EDDYSTONE),
        ("Trams in Porto", None),
        ("", None),
    ],
)
def test_a_line_of_a_list_of_sources_names_a_document(corpus, said, called):
    assert corpus.called(said) == called


GUIDES = (
    Document("1", "One", "one"),
    Document("a.md", "A", "two", "https://example.org/guide"),
    Document("b.md", "Bridge", "three", "https://example.org/guide/bridge"),
    Document("ten", "Chapter 1 of the book", "four", "https://example.org/10"),
    Document("paris", "Paris", "five", "https://example.org/1"),
    Document("m", "History of Paris", "six", "https://example.org/Paris_(history)"),
)


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("https://example.org/guide", "a.md"),
        ("https://example.org/guide/", "a.md"),
        ("[A guide](https://example.org/guide#fees), in May", "a.md"),
        ("https://example.org/guide/bridge", "b.md"),
        ("at https://example.org/guide/bridge.", "b.md"),
        ("https://example.org/guide and https://example.org/guide/bridge", "b.md"),
        ("http://example.org/10", "ten"),
        ("https://example.org/1", "paris"),
        ("<https://example.org/Paris_(history)>", "m"),
        ("https://example.org/guide/paris", None),
        ("Chapter 1 of the book", "ten"),
        ("History of paris", "m"),
        ("Paris, see a.md", "a.md"),
        ("1", "1"),
        ("see 1.", "1"),
        ("paris", "paris"),
        ("https://other.org/one", "1"),
    ],
)
def test_a_document_is_named_by_a_whole_id_or_address_and_then_by_the_longest_title(said, called):
    assert GivenCorpus(GUIDES).called(said) == called


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("https://example.org/guide/bridge", "b.md"),
        ("https://example.org/guide/paris", None),
        ("Chapter 1 of the book", "ten"),
        ("History of paris", "m"),
        ("Paris, see a.md", "a.md"),
        ("see 1.", "1"),
    ],
)
def test_a_document_of_an_index_is_named_in_the_same_order(encoder, said, called):
    index = index_in_memory(GUIDES, encoder, PassageSettings(words=20, continuation_words=0))
    assert IndexCorpus(index.store, index.lexical).called(said) == called


TEXT = st.text("ab cé.\n\u0301'“-ﬁ😀", min_size=1, max_size=60)


@given(TEXT, st.data())
def test_a_span_of_whole_words_cut_from_a_document_is_verbatim_where_the_text_is_equal(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assume(in_whole_words(text, Span(start, end)))
    quote = text[start:end]
    finding = check_quote(QuoteToCheck(quote, ("d",)), GivenCorpus([Document("d", "", text)]))
    if folded(quote):
        assert finding.verdict is Verdict.VERBATIM
        assert finding.found.texts == [quote]
    else:
        assert finding.verdict is Verdict.FABRICATED


@given(TEXT, st.data())
def test_a_changed_letter_is_never_verbatim(text, data):
    at = data.draw(st.integers(0, len(text) - 1))
    changed = f"{text[:at]}z{text[at + 1 :]}"  # a letter that the text has nowhere
    finding = check_quote(QuoteToCheck(changed, ("d",)), GivenCorpus([Document("d", "", text)]))
    assert finding.verdict in (Verdict.NEARLY, Verdict.FABRICATED)


def test_a_quotes_parts_are_told_apart_once_whatever_the_number_of_documents(monkeypatch):
    told = []
    monkeypatch.setattr("quote_check.standing._parts", lambda *given: told.append(given))
    texts = GivenCorpus([Document(f"d{number}", "D", "The tower fell down.") for number in range(5)])
    finding = check_quote(quote_of("the moon [rose] over the sea"), texts)
    assert (finding.verdict, len(told)) == (Verdict.FABRICATED, 1)


def test_a_quote_with_words_of_the_text_only_between_its_changes_is_made_up(corpus):
    finding = check_quote(
        quote_of("The [pyramid] was [destroyed] in [1999] by [aliens]", EDDYSTONE, LISBON), corpus
    )
    assert finding.verdict is Verdict.FABRICATED

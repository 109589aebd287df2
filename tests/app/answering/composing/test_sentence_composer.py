"""A long answer: which sentences, in which order, each with a citation of its own."""

import math
from dataclasses import replace

import numpy as np
import pytest

from app.answering.answer_kind import AnswerKind
from app.answering.composing.sentence_composer import SentenceComposer
from app.answering.types import Alternative, Citation, CitedAnswer, Quote, ScoredSpan
from common.deadline import NO_DEADLINE, Deadline
from retriever.encoder import HashingEncoder
from retriever.types import Block, BlockKind, Document, Passage, Span

SENTENCES = (
    "Muck is an island.",
    "Its ferry sails daily.",
    "Sheep graze there.",
    "The pier is\r\n  new.",
    "The ferry was built in 1911.",
)
TEXT = " ".join(SENTENCES)
DOCUMENT = Document("muck", "Isle of Muck", TEXT, "https://example.org/muck")


class Cosines:
    """An encoder that is told how near each sentence is to the question."""

    dimension = 2

    def __init__(self, *cosines):
        self.by_sentence = dict(zip(SENTENCES, cosines, strict=True))
        self.told = []

    def encode_queries(self, queries):
        return np.array([[1.0, 0.0] for _ in queries], dtype=np.float32)

    def encode_passages(self, texts):
        self.told += texts
        cosines = [self.by_sentence[text.partition("\n")[2]] for text in texts]
        return np.array([[cosine, math.sqrt(1 - cosine**2)] for cosine in cosines], dtype=np.float32)


def place(*sentences):
    """From the start of the first of these sentences to the end of the last."""
    start = TEXT.index(SENTENCES[sentences[0]])
    return Span(start, TEXT.index(SENTENCES[sentences[-1]]) + len(SENTENCES[sentences[-1]]))


def short(span, *, passage=None, answer="1911", support=0.9):
    whole = Passage(1, "muck", "Isle of Muck", TEXT, Span(0, len(TEXT)))
    citation = Citation.of(Quote(DOCUMENT, span), support=support)
    other = Alternative("1912", (citation,), 0.1)
    return CitedAnswer(answer, answer, (citation,), 0.7, passage or whole, (other,))


def composed(encoder, answer, **named):
    return SentenceComposer(encoder, **named).compose(
        "when was the ferry built", answer, DOCUMENT, deadline=NO_DEADLINE
    )


def chosen(decision):
    return [SENTENCES.index(citation.quote) for citation in decision.citations]


def test_the_sentence_that_backs_the_answer_and_the_two_nearest_come_in_the_documents_order():
    decision = composed(Cosines(0.55, 0.6, 0.4, 0.3, 0.5), short(place(4)))
    assert chosen(decision) == [0, 1, 4]
    assert decision.answer == "Muck is an island. Its ferry sails daily. The ferry was built in 1911."


def test_every_sentence_is_a_citation_of_its_own_that_stands_word_for_word():
    decision = composed(Cosines(0.1, 0.6, 0.1, 0.6, 0.6), short(place(4)))
    for citation in decision.citations:
        assert DOCUMENT.text[citation.span.start : citation.span.end] == citation.quote
        assert (citation.doc_id, citation.url) == ("muck", "https://example.org/muck")
        assert citation.document_sha256 == DOCUMENT.sha256


def test_white_space_is_tidied_in_the_answer_and_never_in_a_quote():
    decision = composed(Cosines(0.1, 0.1, 0.1, 0.6, 0.6), short(place(4)))
    assert [citation.quote for citation in decision.citations] == [SENTENCES[3], SENTENCES[4]]
    assert decision.answer == "The pier is new. The ferry was built in 1911."


@pytest.mark.parametrize(
    ("cosines", "kept"),
    [
        ((0.66, 0.64, 0.0, 0.0, 0.8), [0, 4]),  # the best is the one that backs the answer
        ((0.8, 0.66, 0.64, 0.0, 0.2), [0, 1, 4]),  # which stays, however far it is
        ((0.64, 0.64, 0.64, 0.64, 0.8), [4]),
        ((0.8, 0.64, 0.64, 0.0, 0.64), [0, 4]),
    ],
)
def test_a_further_sentence_is_dropped_when_it_is_well_below_the_best(cosines, kept):
    assert chosen(composed(Cosines(*cosines), short(place(4)))) == kept


def test_equally_near_sentences_are_taken_from_the_front():
    assert chosen(composed(Cosines(0.5, 0.5, 0.5, 0.5, 0.5), short(place(4)))) == [0, 1, 4]
    assert chosen(composed(Cosines(0.5, 0.5, 0.5, 0.5, 0.5), short(place(4)), further=1)) == [0, 4]


def test_backing_keeps_its_support_and_a_further_sentence_has_its_nearness_to_the_question():
    decision = composed(Cosines(-0.05, 0.08, -0.9, -0.9, 0.0), short(place(4), support=0.9))
    assert [(one.further, pytest.approx(one.support, abs=1e-6)) for one in decision.citations] == [
        (True, 0.0),  # no support is negative
        (True, 0.08),
        (False, 0.9),
    ]


def test_a_quote_of_two_sentences_becomes_two_citations_that_share_its_support():
    decision = composed(Cosines(0.0, 0.6, 0.6, 0.6, 0.9), short(place(1, 2), support=0.4))
    assert chosen(decision) == [1, 2, 4]
    assert [(one.support, one.further) for one in decision.citations[:2]] == [(0.4, False)] * 2


def test_a_quote_within_a_sentence_grows_to_the_whole_of_it():
    decision = composed(Cosines(0.0, 0.0, 0.0, 0.0, 0.9), short(Span(place(4).start + 4, place(4).end - 9)))
    assert decision.answer == SENTENCES[4]


def test_a_quote_that_touches_no_sentence_of_the_passage_is_kept_as_it_is():
    passage = Passage(1, "muck", "Isle of Muck", SENTENCES[0], Span(0, len(SENTENCES[0])))
    decision = composed(Cosines(0.5, 0.9, 0.9, 0.9, 0.9), short(place(4), passage=passage))
    assert chosen(decision) == [0, 4]


def test_only_passage_and_continuation_are_drawn_from():
    passage = Passage(1, "muck", "Isle of Muck", SENTENCES[1], place(1), f" {SENTENCES[2]}")
    encoder = Cosines(0.9, 0.5, 0.5, 0.9, 0.9)
    assert chosen(composed(encoder, short(place(1), passage=passage))) == [1, 2]
    assert sorted(encoder.told) == sorted(f"Isle of Muck\n{SENTENCES[number]}" for number in (1, 2))


def test_where_there_is_nothing_to_add_nothing_is_encoded():
    passage = Passage(1, "muck", "Isle of Muck", SENTENCES[4], place(4))
    encoder = Cosines(0, 0, 0, 0, 0)
    assert composed(encoder, short(place(4), passage=passage)).answer == SENTENCES[4]
    assert encoder.told == []


def test_the_short_answer_its_confidence_and_the_alternatives_stay():
    before = short(place(4))
    after = composed(Cosines(0.5, 0.5, 0.5, 0.5, 0.5), before)
    assert after.short_answer == before.short_answer == before.answer == "1911"
    assert (after.confidence, after.alternatives) == (before.confidence, before.alternatives)


def test_when_the_time_is_up_what_backs_the_answer_is_all():
    encoder = Cosines(0.9, 0.9, 0.9, 0.9, 0.9)
    found = SentenceComposer(encoder).compose("?", short(place(1)), DOCUMENT, deadline=Deadline.after(-1))
    assert chosen(found) == [1]
    assert encoder.told == []


def test_of_very_many_sentences_those_around_the_backing_ones_are_looked_at(encoder):
    text = " ".join(f"Line {number} ends." for number in range(300))
    document = replace(DOCUMENT, text=text)
    passage = Passage(1, "muck", "Isle of Muck", text, Span(0, len(text)))
    backing = Span(text.index("Line 150"), text.index(" Line 151"))
    citation = Citation.of(Quote(document, backing), support=0.9)
    answer = CitedAnswer("150", "150", (citation,), 0.7, passage)
    told = []
    encoder.encode_passages, encode = (
        lambda texts: told.extend(texts) or encode(texts),
        encoder.encode_passages,
    )
    SentenceComposer(encoder).compose("which line", answer, document, deadline=NO_DEADLINE)
    numbers = [int(one.split("Line ")[1].split()[0]) for one in told if "ends" in one]
    assert sorted(numbers) == list(range(126, 174))


def test_a_long_answer_is_shown_without_invisible_characters_and_quotes_as_it_stands():
    text = "Hen\u00adrik built it."
    document = Document("d", "D", text)
    passage = Passage(1, "d", "D", text, Span(0, len(text)))
    citation = Citation.of(Quote(document, Span(0, len(text))), support=0.5)
    decision = SentenceComposer(HashingEncoder()).compose(
        "who", CitedAnswer("Henrik", "Henrik", (citation,), 0.7, passage), document, deadline=NO_DEADLINE
    )
    assert decision.answer == "Henrik built it."
    assert [citation.quote for citation in decision.citations] == [text]


def likely(*scores):
    return tuple(ScoredSpan(place(number), score) for number, score in enumerate(scores))


def from_evidence(answer, *scores, document=DOCUMENT):
    return SentenceComposer(Cosines(1, 1, 1, 1, 1)).compose(
        "how does the ferry sail", answer, document, evidence=likely(*scores), deadline=NO_DEADLINE
    )


def test_where_a_reader_says_what_is_evidence_that_decides_and_not_the_nearness():
    decision = from_evidence(short(place(4)), 0.1, 0.6, 0.49, 0.9, 0.2)
    assert chosen(decision) == [1, 3, 4]
    assert [citation.support for citation in decision.citations] == [0.6, 0.9, 0.9]
    assert [citation.further for citation in decision.citations] == [True, True, False]


def test_yes_or_no_comes_before_the_sentences_that_say_so():
    answer = replace(short(place(1), answer="Yes"), kind=AnswerKind.YES_NO)
    decision = from_evidence(answer, 0.1, 0.9, 0.6, 0.1, 0.1)
    assert decision.answer == "Yes. Its ferry sails daily. Sheep graze there."
    assert decision.short_answer == "Yes"


def test_the_items_of_a_list_are_a_line_each():
    answer = replace(short(place(1)), kind=AnswerKind.LIST)
    assert from_evidence(answer, 0.1, 0.9, 0.1, 0.6, 0.1).answer == "Its ferry sails daily.\nThe pier is new."


@pytest.mark.parametrize(
    ("backing", "next_score", "kept"),
    [(3, 0.9, [0, 1, 3]), (3, 0.1, [3]), (0, 0.1, [0, 1, 3])],
    ids=["it follows", "it does not", "what backs brings it"],
)
def test_a_sentence_that_announces_something_stands_only_before_it(backing, next_score, kept):
    sentences = ("Sail as follows:", "Cast off.", "Mind the pier.", "Steer north.")
    document = Document("muck", "Muck", "\n\n".join(sentences))
    spans = [
        Span(start, start + len(sentence))
        for sentence in sentences
        for start in [document.text.index(sentence)]
    ]
    passage = Passage(1, "muck", "Muck", document.text, Span(0, len(document.text)))
    citation = Citation.of(Quote(document, spans[backing]), support=0.9)
    answer = CitedAnswer("Steer.", "Steer.", (citation,), 0.7, passage, kind=AnswerKind.EXPLANATION)
    scores = (0.8, next_score, 0.1, 0.9)
    evidence = tuple(ScoredSpan(span, score) for span, score in zip(spans, scores, strict=True))
    decision = SentenceComposer(Cosines(1, 1, 1, 1, 1)).compose(
        "how", answer, document, evidence=evidence, deadline=NO_DEADLINE
    )
    assert decision.answer == " ".join(sentences[number] for number in kept)
    assert [one.quote for one in decision.citations if not one.further] == [sentences[backing]]


def test_of_many_sentences_the_likeliest_ten_are_added():
    text = " ".join(f"Step {number} is easy." for number in range(10, 40))
    document = Document("steps", "Steps", text)
    spans = [Span(at, at + len("Step 10 is easy.")) for at in range(0, len(text), len("Step 10 is easy. "))]
    passage = Passage(1, "steps", "Steps", text, Span(0, len(text)))
    citation = Citation.of(Quote(document, spans[0]), support=0.9)
    answer = CitedAnswer("s", "s", (citation,), 0.7, passage, kind=AnswerKind.EXPLANATION)
    evidence = tuple(ScoredSpan(span, 0.6 + number / 100) for number, span in enumerate(spans))
    decision = SentenceComposer(Cosines(1, 1, 1, 1, 1)).compose(
        "how", answer, document, evidence=evidence, deadline=NO_DEADLINE
    )
    assert [citation.span for citation in decision.citations] == [spans[0], *spans[-10:]]


def test_a_heading_is_no_sentence_of_an_answer():
    text = "Sailing\n\nCast off."
    heading, sentence = Span(0, 7), Span(9, 18)
    blocks = (Block(BlockKind.HEADING, heading), Block(BlockKind.PARAGRAPH, sentence))
    document = Document("muck", "Muck", text, blocks=blocks)
    citation = Citation.of(Quote(document, sentence), support=0.9)
    passage = Passage(1, "muck", "Muck", text, Span(0, len(text)))
    answer = CitedAnswer("Cast off.", "Cast off.", (citation,), 0.7, passage, kind=AnswerKind.EXPLANATION)
    decision = SentenceComposer(Cosines(1, 1, 1, 1, 1)).compose(
        "how", answer, document, evidence=(ScoredSpan(heading, 0.9),), deadline=NO_DEADLINE
    )
    assert decision.answer == "Cast off."


@pytest.mark.parametrize(
    ("backing", "said"),
    [
        (1, "Pumps hum. Run it daily. Its limit is 16."),
        (3, "Pumps hum. Run it daily. Its limit is 16."),
        (5, "Pumps hum. Its limit is 8."),
        (0, "Pumps hum. Run it daily. Its limit is 16. Its limit is 8."),
    ],
    ids=["a part of it", "above it", "beside others", "above all"],
)
def test_what_stands_in_a_section_beside_is_not_added(backing, said):
    pump, flow, heat = ("Pump",), ("Pump", "Flow"), ("Pump", "Heat")
    lines = [
        (BlockKind.PARAGRAPH, "Pumps hum.", ()),
        (BlockKind.PARAGRAPH, "Run it daily.", flow),
        (BlockKind.HEADING, "Most", flow),
        (BlockKind.PARAGRAPH, "Its limit is 16.", (*flow, "Most")),
        (BlockKind.HEADING, "Heat", pump),
        (BlockKind.PARAGRAPH, "Its limit is 8.", heat),
    ]
    text = "\n\n".join(line for _, line, _ in lines)
    spans = [Span(start, start + len(line)) for _, line, _ in lines for start in [text.index(line)]]
    blocks = tuple(Block(kind, span, path) for (kind, _, path), span in zip(lines, spans, strict=True))
    document = Document("pump", "Pump", text, blocks=blocks)
    passage = Passage(1, "pump", "Pump", text, Span(0, len(text)))
    citation = Citation.of(Quote(document, spans[backing]), support=0.9)
    answer = CitedAnswer("a", "a", (citation,), 0.7, passage, kind=AnswerKind.EXPLANATION)
    decision = SentenceComposer(Cosines(1, 1, 1, 1, 1)).compose(
        "how", answer, document, evidence=tuple(ScoredSpan(span, 0.9) for span in spans), deadline=NO_DEADLINE
    )
    assert decision.answer == said


def test_words_without_a_full_stop_do_not_run_into_the_next_sentence():
    lines = ["Default: 16", "Scope: the pump", "It hums (a lot).", "See “Flow.”", "It stops:", "At night."]
    manual = [(BlockKind.PARAGRAPH, line) for line in lines]
    assert from_manual(0, *range(6), passage_ends=6, manual=manual).answer == (
        "Default: 16\nScope: the pump\nIt hums (a lot). See “Flow.” It stops: At night."
    )


MANUAL = (
    (BlockKind.PARAGRAPH, "To report a leak, follow all of the steps below:"),
    (BlockKind.ITEM, "1. Leave the room."),
    (BlockKind.ITEM, "2. Open the valve."),
    (BlockKind.ITEM, "3. Call the office."),
    (BlockKind.PARAGRAPH, "Leaks are rare. Run this:"),
    (BlockKind.CODE, "leak --report\nleak --close\n\nleak --list"),
    (BlockKind.HEADING, "Valves"),
    (BlockKind.PARAGRAPH, "Valves are red."),
)


def from_manual(backing, *evident, passage_begins=0, passage_ends=8, manual=MANUAL):
    """What is said where the blocks of these numbers back the answer, or are likely evidence. The passage has some
    blocks alone.
    """
    text = "\n\n".join(line for _, line, *_ in manual)
    spans = [Span(start, start + len(line)) for _, line, *_ in manual for start in [text.index(line)]]
    blocks = tuple(
        Block(kind, span, path=tuple(path)) for (kind, _, *path), span in zip(manual, spans, strict=True)
    )
    document = Document("leaks", "Leaks", text, blocks=blocks)
    window = Span(spans[passage_begins].start, spans[passage_ends - 1].end)
    passage = Passage(1, "leaks", "Leaks", window.of(text), window)
    citation = Citation.of(Quote(document, spans[backing]), support=0.9)
    answer = CitedAnswer("Do.", "Do.", (citation,), 0.7, passage, kind=AnswerKind.EXPLANATION)
    evidence = tuple(
        ScoredSpan(spans[n], 0.8 if n in evident else 0.1) for n in range(passage_begins, passage_ends)
    )
    return SentenceComposer(Cosines(1, 1, 1, 1, 1)).compose(
        "how do I report a leak", answer, document, evidence=evidence, deadline=NO_DEADLINE
    )


@pytest.mark.parametrize("passage_ends", [8, 1], ids=["in the passage", "behind it"])
def test_what_announces_steps_brings_them_wherever_the_passage_ends(passage_ends):
    decision = from_manual(0, passage_ends=passage_ends)
    assert decision.answer.split("\n") == [line for _, line in MANUAL[:4]]
    assert [citation.quote for citation in decision.citations] == [line for _, line in MANUAL[:4]]
    assert [citation.support for citation in decision.citations] == [0.9] * 4
    assert [citation.further for citation in decision.citations] == [False, True, True, True]


def test_what_announces_code_brings_the_whole_of_it_as_one_quote():
    decision = from_manual(4)
    assert decision.answer == "Leaks are rare. Run this:\nleak --report\nleak --close\n\nleak --list"
    assert [citation.quote for citation in decision.citations][-1] == MANUAL[5][1]


@pytest.mark.parametrize(
    "code",
    ["def leak():\n    if open:\n        close()\n\n    report()", "def leak():\n\tpre-\n\tclose(a  =  1)"],
    ids=["nested", "tabs, and a hyphen at the end"],
)
def test_code_keeps_its_indentation_in_the_answer(code):
    manual = (*MANUAL[4:5], (BlockKind.CODE, code))
    assert from_manual(0, passage_ends=1, manual=manual).answer == f"Leaks are rare. Run this:\n{code}"


def test_code_that_is_indented_as_a_whole_is_not_in_the_answer():
    text = "leaks:\n  - open\n      hour\n  - close"
    document = Document("leaks", "Leaks", text, blocks=(Block(BlockKind.CODE, Span(0, len(text))),))
    passage = Passage(1, "leaks", "Leaks", text, Span(0, len(text)))
    citation = Citation.of(Quote(document, Span(9, 26)), support=0.9)  # the two lines in between
    answer = CitedAnswer("open", "open", (citation,), 0.7, passage, kind=AnswerKind.EXPLANATION)
    decision = SentenceComposer(Cosines(1, 1, 1, 1, 1)).compose(
        "how", answer, document, evidence=(ScoredSpan(Span(0, 6), 0.1),), deadline=NO_DEADLINE
    )
    assert decision.answer == "- open\n    hour"
    assert [citation.quote for citation in decision.citations] == ["- open\n      hour"]


@pytest.mark.parametrize(
    ("above", "said"),
    [
        ((BlockKind.PARAGRAPH, "Leaks are rare. Run this:"), "Run this:\nleak --close\nleak --list"),
        ((BlockKind.ITEM, "On Unix:"), "On Unix:\nleak --close\nleak --list"),
        ((BlockKind.PARAGRAPH, "Leaks are rare."), "leak --close\nleak --list"),
        ((BlockKind.HEADING, "Run:"), "leak --close\nleak --list"),
    ],
)
def test_code_brings_what_announces_it(above, said):
    manual = (above, (BlockKind.CODE, "leak --close\nleak --list"))
    assert from_manual(1, passage_ends=2, manual=manual).answer == said


@pytest.mark.parametrize(
    ("line", "said"), [(Span(11, 15), "Run this:\nopen\nreport"), (Span(16, 22), "report")]
)
def test_the_first_line_of_code_brings_what_announces_it_and_the_whole(line, said):
    text = "Run this:\n\nopen\nreport"
    blocks = (Block(BlockKind.PARAGRAPH, Span(0, 9)), Block(BlockKind.CODE, Span(11, 22)))
    document = Document("leaks", "Leaks", text, blocks=blocks)
    passage = Passage(1, "leaks", "Leaks", text, Span(0, len(text)))
    citation = Citation.of(Quote(document, line), support=0.9)
    answer = CitedAnswer("run", "run", (citation,), 0.7, passage, kind=AnswerKind.EXPLANATION)
    decision = SentenceComposer(Cosines(1, 1, 1, 1, 1)).compose(
        "how", answer, document, evidence=(ScoredSpan(Span(0, 9), 0.1),), deadline=NO_DEADLINE
    )
    assert decision.answer == said


@pytest.mark.parametrize(("label", "brought"), [("Unix/macOS", True), ("It is safe.", False)])
def test_the_label_of_code_comes_with_the_code(label, brought):
    manual = (*MANUAL[4:5], (BlockKind.PARAGRAPH, label), *MANUAL[5:6])
    decision = from_manual(0, passage_ends=1, manual=manual)
    assert [citation.quote for citation in decision.citations][2:] == [
        label,
        *([MANUAL[5][1]] if brought else []),
    ]


TABS = (
    (BlockKind.PARAGRAPH, "It is quick. Upgrade it by running:", "Upgrading"),
    (BlockKind.HEADING, "Unix", "Upgrading", "Unix"),
    (BlockKind.CODE, "pump upgrade", "Upgrading", "Unix"),
    (BlockKind.HEADING, "Windows", "Upgrading", "Windows"),
    (BlockKind.CODE, "pump.exe upgrade\npump.exe check", "Upgrading", "Windows"),
    (BlockKind.PARAGRAPH, "It says when it is done.", "Upgrading"),
    (BlockKind.HEADING, "Removing", "Removing"),
    (BlockKind.CODE, "pump remove", "Removing"),
)
ALL_TABS = "Upgrade it by running:\nUnix\npump upgrade\nWindows\npump.exe upgrade\npump.exe check"


def test_what_announces_tabs_brings_each_with_its_label():
    decision = from_manual(0, passage_ends=1, manual=TABS)
    assert decision.answer == f"It is quick. {ALL_TABS}"
    assert [citation.quote for citation in decision.citations][2:] == [line for _, line, *_ in TABS[1:5]]


def test_a_section_after_a_colon_is_not_what_it_announces():
    manual = (TABS[0], *TABS[6:])
    assert from_manual(0, passage_ends=1, manual=manual).answer == TABS[0][1]


def test_code_of_two_sections_has_their_headings_above_it():
    decision = from_manual(2, 4, manual=TABS)
    assert decision.answer == "Unix\npump upgrade\nWindows\npump.exe upgrade\npump.exe check"
    assert [(citation.further, citation.support) for citation in decision.citations] == [
        (True, 0.9),
        (False, 0.9),
        (True, 0.8),
        (True, 0.8),
    ]
    assert from_manual(2, 5, manual=TABS).answer == "pump upgrade\nIt says when it is done."
    assert from_manual(2, manual=TABS).answer == "pump upgrade"
    assert from_manual(5, manual=TABS).answer == "It says when it is done."


def test_an_item_between_two_is_not_left_out():
    items = [(BlockKind.ITEM, item) for item in ("Gloves.", "A lamp.", "A rope.", "Tea.")]
    assert from_manual(0, 2, passage_ends=4, manual=items).answer == "Gloves.\nA lamp.\nA rope."


PROCEDURE = (
    (BlockKind.HEADING, "Restart"),
    (BlockKind.PARAGRAPH, "It takes a minute."),
    (BlockKind.PARAGRAPH, "To restart:"),
    (BlockKind.ITEM, "1. Stop it."),
    (BlockKind.CODE, "pump stop\npump wait"),
    (BlockKind.PARAGRAPH, "It is quiet now."),
    (BlockKind.ITEM, "2) Look at it."),
    (BlockKind.ITEM, "at the valve"),
    (BlockKind.ITEM, "3. Start it:"),
    (BlockKind.CODE, "pump start"),
    (BlockKind.PARAGRAPH, "That is all."),
    (BlockKind.HEADING, "Clean"),
    (BlockKind.ITEM, "4. Another list."),
)


@pytest.mark.parametrize("backing", [3, 6, 8])
def test_a_step_brings_all_steps_with_what_stands_between_them(backing):
    decision = from_manual(backing, passage_ends=9, manual=PROCEDURE)
    assert [citation.quote for citation in decision.citations] == [line for _, line in PROCEDURE[2:10]]


def test_steps_that_stand_before_the_passage_come_too():
    decision = from_manual(8, passage_begins=8, passage_ends=10, manual=PROCEDURE)
    assert [citation.quote for citation in decision.citations] == [line for _, line in PROCEDURE[2:10]]


@pytest.mark.parametrize(
    "manual",
    [
        [(BlockKind.ITEM, "1. First."), (BlockKind.ITEM, "3. Third.")],
        [(BlockKind.ITEM, "1. First."), (BlockKind.HEADING, "Next"), (BlockKind.ITEM, "2. Second.")],
        [(BlockKind.ITEM, f"{number}. Step {number}.") for number in range(1, 14)],
        [(BlockKind.ITEM, "First."), (BlockKind.ITEM, "Second.")],
    ],
    ids=["a number is left out", "under another heading", "thirteen", "no numbers"],
)
def test_a_step_stands_alone_where_there_is_no_short_numbered_list(manual):
    assert from_manual(0, passage_ends=len(manual), manual=manual).answer == manual[0][1]


def test_a_promise_of_steps_brings_what_stands_before_them():
    told = [(BlockKind.PARAGRAPH, "Mind the hour. Be quick.")]
    steps = [MANUAL[0], *told, *MANUAL[1:4]]
    decision = from_manual(0, passage_ends=1, manual=steps)
    assert decision.answer == (
        "To report a leak, follow all of the steps below: Mind the hour. Be quick.\n"
        "1. Leave the room.\n2. Open the valve.\n3. Call the office."
    )
    other = [(BlockKind.PARAGRAPH, "It is known that:"), *told, *MANUAL[1:4]]
    assert from_manual(0, passage_ends=1, manual=other).answer == "It is known that: Mind the hour."


def test_a_line_of_code_between_two_is_not_left_out():
    text = "open\nreport\nclose\n\nLeaks are rare."
    document = Document(
        "leaks",
        "Leaks",
        text,
        blocks=(Block(BlockKind.CODE, Span(0, 17)), Block(BlockKind.PARAGRAPH, Span(19, 34))),
    )
    passage = Passage(1, "leaks", "Leaks", text, Span(0, len(text)))
    citation = Citation.of(Quote(document, Span(0, 4)), support=0.9)
    answer = CitedAnswer("open", "open", (citation,), 0.7, passage, kind=AnswerKind.EXPLANATION)
    decision = SentenceComposer(Cosines(1, 1, 1, 1, 1)).compose(
        "how", answer, document, evidence=(ScoredSpan(Span(12, 17), 0.9),), deadline=NO_DEADLINE
    )
    assert [citation.quote for citation in decision.citations] == ["open\nreport\nclose"]


def test_a_further_sentence_brings_what_it_announces_where_some_of_that_is_evidence():
    assert from_manual(7, 0).answer == "Valves are red."
    assert from_manual(7, 0, 2).answer.split("\n")[:4] == [line for _, line in MANUAL[:4]]


def test_no_more_than_twelve_items_are_brought():
    steps = [(BlockKind.ITEM, f"{number}. Step {number}.") for number in range(1, 30)]
    decision = from_manual(0, passage_ends=1, manual=(MANUAL[0], *steps))
    assert len(decision.citations) == 13
    assert decision.answer.endswith("12. Step 12.")

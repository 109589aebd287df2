"""What the benchmark of answers tells of two checkouts that answer differently."""

from app.answering.types import Candidate, CandidateSource, Citation, CitedCandidate, Quote
from benchmarks.answer import report_differences
from benchmarks.answer_process import Outcome, _with_places
from retriever.types import Document, Passage, Span

DOCUMENT = Document("d", "Title", "One two three four five.")


def answered(*spans: Span) -> Outcome:
    citations = tuple(Citation.of(Quote(DOCUMENT, span), support=0.5) for span in spans)
    passage = Passage(1, "d", "Title", DOCUMENT.text, Span(0, 24))
    cited = CitedCandidate(Candidate("one", passage, CandidateSource.LM, -0.5, 1), citations, 0.9)
    return Outcome({}, 0.0, 1, 1, [_with_places(cited)], ("one", 0.9), 0.0, 0.0)


def test_every_quote_of_a_candidate_is_told_with_its_place():
    (told,) = answered(Span(0, 3), Span(4, 7)).answers
    assert told == ("one", [("d", 0, 3), ("d", 4, 7)], 0.9)


def test_candidates_that_differ_in_their_second_quote_alone_are_counted(capsys):
    same, other = answered(Span(0, 3), Span(4, 7)), answered(Span(0, 3), Span(8, 13))
    report_differences([same, same], [same, other])
    assert capsys.readouterr().out.startswith(
        "0 answers differ, 1 lists of cited candidates or their quotes\n"
    )

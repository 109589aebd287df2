"""How near an answer of several sentences comes to the long answers and the sentences that annotators chose."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.answering.text.answer_score import f1
from app.answering.trace_json.shapes import Citation
from evaluation.metrics.citation import Place, citation_precision, citation_recall
from evaluation.metrics.rouge import rouge_l
from retriever.text.sentences import sentence_spans
from retriever.types import Span


@dataclass(frozen=True, slots=True)
class LongAnswer:
    """0-1, higher is better; no answer is worth nothing. ``sentences``: how many the answer has.

    ``unigram_f1``: as SQuAD counts words, which is how KILT scores long answers (Petroni et al. 2021).
    ``citation_precision``, ``citation_recall``: None where there are no citations to count, or the text is gone.
    """

    rouge_l: float
    unigram_f1: float
    citation_precision: float | None
    citation_recall: float | None
    sentences: int


def long_answer(
    answer: str | None,
    answers: Sequence[str],
    *,
    selected: Sequence[str],
    citations: Sequence[Citation] | None,
    gold: Mapping[str, str],
) -> LongAnswer:
    """The scores of one answer, the best over ``answers`` where words are compared.

    ``selected``: the sentences that annotators chose, of all annotators together. ``citations``: those of the answer
    in JSON; None where quotes are not the point. ``gold``: texts by document id, in which the sentences stand. A
    sentence that stands in none of them is not counted.
    """
    marked = list(_places(selected, gold))
    counted = citations is not None and bool(marked)
    cited = [
        Place(citation["document_id"], Span(citation["start"], citation["end"]))
        for citation in citations or ()
    ]
    return LongAnswer(
        rouge_l=0.0 if answer is None else rouge_l(answer, answers),
        unigram_f1=0.0 if answer is None else f1(answer, answers),
        citation_precision=citation_precision(cited, marked) if counted else None,
        citation_recall=citation_recall(cited, marked) if counted else None,
        sentences=0 if answer is None else len(sentence_spans(answer)),
    )


def _places(sentences: Sequence[str], texts: Mapping[str, str]) -> Iterator[Place]:
    """Where each sentence first stands."""
    for sentence in sentences:
        for doc_id, text in texts.items():
            if sentence and (start := text.find(sentence)) >= 0:
                yield Place(doc_id, Span(start, start + len(sentence)))
                break

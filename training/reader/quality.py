"""How good a reader is on the development groups."""

from collections.abc import Sequence
from statistics import fmean

from app.answering.cross_encoders.reader_model import Judgement, ReaderModel
from app.answering.text.answer_score import exact_match, f1
from retriever.store import DocumentStore
from training.data.group import Group, GroupRecord, titled_windows
from training.loop.run import Quality


def quality(
    reader: ReaderModel, records: Sequence[GroupRecord], store: DocumentStore, *, searched: bool = True
) -> Quality:
    """By source, over its groups with an answer (0-1, higher is better):

    ``em``, ``f1``: of the best span of the most answerable passage; ``em_pointed``: of the most probable span of
    all passages; ``em_given``, ``f1_given``: of the best span when only the first passage that answers is read;
    ``first``: how often the most answerable passage is one that answers. ``groups``: how many there are.
    Unless ``searched``, only what is read of the passage that answers, which takes a fraction of the time.
    """
    by_source: dict[str, list[dict[str, float]]] = {}
    for record in records:
        group = record.group(store)
        if group.positives:
            scores = (_searched(reader, group) if searched else {}) | _given(reader, group)
            by_source.setdefault(record.source.value, []).append(scores)
    return {
        source: {"groups": len(scores)}
        | {name: round(fmean(one[name] for one in scores), 4) for name in scores[0]}
        for source, scores in sorted(by_source.items())
    }


def _searched(reader: ReaderModel, group: Group) -> dict[str, float]:
    windows = [one.passage.window for one in group.passages]
    judged = reader.judge(group.question, titled_windows(group.passages))
    best = max(range(len(judged)), key=lambda n: judged[n].answerability)
    pointed = max(range(len(judged)), key=lambda n: _probability(judged[n]))
    answer = _answer(judged[best], windows[best])
    return {
        "em": float(exact_match(answer, group.answers)),
        "f1": f1(answer, group.answers),
        "em_pointed": float(exact_match(_answer(judged[pointed], windows[pointed]), group.answers)),
        "first": float(bool(group.passages[best].answers)),
    }


def _given(reader: ReaderModel, group: Group) -> dict[str, float]:
    passage = next(one for one in group.passages if one.answers).passage
    (judged,) = reader.judge(group.question, [(passage.title, passage.window)])
    answer = _answer(judged, passage.window)
    return {
        "em_given": float(exact_match(answer, group.answers)),
        "f1_given": f1(answer, group.answers),
    }


def _answer(judgement: Judgement, window: str) -> str:
    return judgement.spans[0][0].of(window) if judgement.spans else ""


def _probability(judgement: Judgement) -> float:
    return judgement.spans[0][1] if judgement.spans else 0.0

"""How good a reader is on the development groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from app.answering.cross_encoders.reader_model import Judgement, ReaderModel
from app.answering.text.answer_score import exact_match, f1
from retriever.store import DocumentStore
from training.data.group import Group, GroupRecord, titled_windows
from training.loop.run import Quality


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One group's scores; those of an answer only where the group has one."""

    answerable: bool
    em: float = 0.0
    f1: float = 0.0
    em_pointed: float = 0.0
    em_given: float = 0.0
    f1_given: float = 0.0
    first: float = 0.0


def quality(reader: ReaderModel, records: Sequence[GroupRecord], store: DocumentStore) -> Quality:
    """By source, over its groups with an answer (0-1, higher is better):

    ``em``, ``f1``: of the best span of the most answerable passage; ``em_pointed``: of the most probable span of
    all passages; ``em_given``, ``f1_given``: of the best span when only the first passage that answers is read;
    ``first``: how often the most answerable passage is one that answers. ``groups``: how many there are.
    """
    by_source: dict[str, list[_Outcome]] = {}
    for record in records:
        outcome = _outcome(reader, record.group(store))
        if outcome.answerable:
            by_source.setdefault(record.source.value, []).append(outcome)
    names = ("em", "f1", "em_pointed", "em_given", "f1_given", "first")
    return {
        source: {"groups": len(outcomes)}
        | {name: round(fmean(getattr(one, name) for one in outcomes), 4) for name in names}
        for source, outcomes in sorted(by_source.items())
    }


def _outcome(reader: ReaderModel, group: Group) -> _Outcome:
    if not group.positives:
        return _Outcome(answerable=False)
    windows = [one.passage.window for one in group.passages]
    judged = reader.judge(group.question, titled_windows(group.passages))
    best = max(range(len(judged)), key=lambda n: judged[n].answerability)
    pointed = max(range(len(judged)), key=lambda n: _probability(judged[n]))
    given = next(n for n, one in enumerate(group.passages) if one.answers)
    alone = group.passages[given].passage
    (of_given,) = reader.judge(group.question, [(alone.title, alone.window)])
    answer, answer_given = _answer(judged[best], windows[best]), _answer(of_given, windows[given])
    return _Outcome(
        answerable=True,
        em=float(exact_match(answer, group.answers)),
        f1=f1(answer, group.answers),
        em_pointed=float(exact_match(_answer(judged[pointed], windows[pointed]), group.answers)),
        em_given=float(exact_match(answer_given, group.answers)),
        f1_given=f1(answer_given, group.answers),
        first=float(bool(group.passages[best].answers)),
    )


def _answer(judgement: Judgement, window: str) -> str:
    return judgement.spans[0][0].of(window) if judgement.spans else ""


def _probability(judgement: Judgement) -> float:
    return judgement.spans[0][1] if judgement.spans else 0.0

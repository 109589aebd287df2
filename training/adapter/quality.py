"""What an adapter is worth on held-out groups: as a writer, as one that points, and as a judge of answers."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from app.answering.cross_encoders.reader_model import ReaderModel
from app.answering.evidence_model.adapted_lm import AdaptedLM, Written
from app.answering.evidence_model.evidence_input import NO_ANSWER
from app.answering.generators.evidence_generator import PASSAGES_TOGETHER
from app.answering.generators.reader_generator import SPANS_EXTRACTED
from app.answering.generators.written_answers import ANSWER_TOKENS
from app.answering.text.answer_score import exact_match, f1
from training.adapter.example import best_answers
from training.data.group import Group, titled_windows
from training.loop.run import Quality


def quality(lm: AdaptedLM, reader: ReaderModel, groups: Sequence[Group]) -> Quality:
    """By source, over its groups with an answer (0-1, higher is better):

    ``em_given``, ``f1_given``: of what is written when only the first passage that answers is read;
    ``cited_given``: exact match of where the citation head points for it; ``em``: of what is written when the
    reader ranks all passages, by its own judgement alone, and the best two are read; ``em_reader``, ``em_chosen``:
    of its answers, as many from each of the best passages as when serving, the likeliest and the one that the citation
    head holds most likely right; ``refused``: how often it says so when shown a passage that does not answer.
    """
    by_source: dict[str, list[dict[str, float]]] = {}
    for group in groups:
        by_source.setdefault(group.source.value, []).append(_outcome(lm, reader, group))
    return {
        source: {"groups": len(found)}
        | {
            name: round(fmean(outcome[name] for outcome in found if name in outcome), 4)
            for name in _names(found)
        }
        for source, found in sorted(by_source.items())
    }


def _names(found: Sequence[Mapping[str, float]]) -> list[str]:
    return list(dict.fromkeys(name for outcome in found for name in outcome))


def _outcome(lm: AdaptedLM, reader: ReaderModel, group: Group) -> dict[str, float]:
    given = _windows(group, [n for n, labelled in enumerate(group.passages) if labelled.answers][:1])
    without = _windows(group, [n for n, labelled in enumerate(group.passages) if not labelled.answers][:1])
    (alone,) = lm.read(group.question, given).write(max_tokens=ANSWER_TOKENS)
    windows = titled_windows(group.passages)
    judgements = reader.judge(group.question, windows)
    # of equal ones the last first: a group begins with the passages that answer
    ranked = sorted(range(len(windows)), key=lambda place: (-judgements[place].answerability, -place))
    evidence = lm.read(group.question, _windows(group, ranked[:PASSAGES_TOGETHER]))
    (among,) = evidence.write(max_tokens=ANSWER_TOKENS)
    best = ranked[: len(SPANS_EXTRACTED)]
    extracted = best_answers(
        [judgements[place] for place in best],
        [windows[place] for place in best],
        SPANS_EXTRACTED[: len(best)],
    )
    chosen = max(evidence.score(extracted), key=lambda answer: answer.pointed.right, default=None)
    found = {
        "em_given": float(exact_match(alone.text, group.answers)),
        "f1_given": f1(alone.text, group.answers),
        "cited_given": float(exact_match(_pointed(alone, given), group.answers)),
        "em": float(exact_match(among.text, group.answers)),
        "em_reader": float(exact_match(extracted[0] if extracted else "", group.answers)),
        "em_chosen": float(exact_match("" if chosen is None else chosen.text, group.answers)),
    }
    if without:
        (silent,) = lm.read(group.question, without).write(max_tokens=ANSWER_TOKENS)
        found["refused"] = float(silent.text == NO_ANSWER)
    return found


def _windows(group: Group, places: Sequence[int]) -> list[tuple[str, str]]:
    passages = [group.passages[place].passage for place in places]
    return [(passage.title, passage.window if len(passages) == 1 else passage.text) for passage in passages]


def _pointed(written: Written, windows: Sequence[tuple[str, str]]) -> str:
    if not written.pointed.spans:
        return ""
    passage, span, _ = written.pointed.spans[0]
    return span.of(windows[passage][1])

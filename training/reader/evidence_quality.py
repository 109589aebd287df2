"""How well a reader tells passages that answer, and a broad one evidence, kinds of answers, and yes from no."""

from collections.abc import Sequence
from hashlib import sha256
from statistics import fmean

from sklearn.metrics import roc_auc_score

from app.answering.cross_encoders.reader_model import BroadJudgement, Judgement, ReaderModel
from training.data.evidence import EvidenceGroup, EvidencePassage
from training.loop.run import Quality

PASSAGES_READ = 3
_AT = 0.5


def evidence_quality(reader: ReaderModel, groups: Sequence[EvidenceGroup], *, count: int) -> Quality:
    """By set, over ``count`` of its groups (0-1, higher is better), as far as the set says what is right:

    ``evidence_f1``, ``evidence_precision``, ``evidence_recall``: of the sentences judged to be evidence at 0.5, in
    all passages read. ``kind``: the share of passages whose likeliest kind is the question's. ``verdict``: the share
    of right ones, yes from 0.5 on. ``answers_auroc``: how well answerability tells passages that answer from others.
    This alone is known of a reader that is not broad.
    """
    by_set: dict[str, list[EvidenceGroup]] = {}
    for group in sorted(groups, key=lambda group: sha256(group.id.encode()).hexdigest()):
        of_set = by_set.setdefault(group.source, [])
        if len(of_set) < count:
            of_set.append(group)
    return {name: _of_set(reader, some) for name, some in sorted(by_set.items())}


def _of_set(reader: ReaderModel, groups: Sequence[EvidenceGroup]) -> dict[str, float]:
    read: list[tuple[EvidenceGroup, EvidencePassage, Judgement]] = []
    for group in groups:
        passages = _read(group)
        judged = reader.judge(group.question, [(passage.title, passage.window) for passage in passages])
        read += [(group, *pair) for pair in zip(passages, judged, strict=True)]
    found = {"groups": float(len(groups))}
    if all(judged.broad is not None for _, _, judged in read):
        found |= _evidence(read) | _told(read)
    answers = [passage.answers_question for _, passage, _ in read]
    if len(set(answers)) > 1:
        auroc = roc_auc_score(answers, [judged.answerability for _, _, judged in read])
        found["answers_auroc"] = round(float(auroc), 4)
    return found


def _told(read: Sequence[tuple[EvidenceGroup, EvidencePassage, Judgement]]) -> dict[str, float]:
    """Kinds and verdicts."""
    found = {"kind": _share([_broad(judged).kind is group.kind for group, _, judged in read])}
    verdicts = [
        (_broad(judged).yes >= _AT) is group.verdict
        for group, passage, judged in read
        if group.verdict is not None and passage.answers_question
    ]
    return found | ({"verdict": _share(verdicts)} if verdicts else {})


def _read(group: EvidenceGroup) -> list[EvidencePassage]:
    """The first passage that answers, and the first others."""
    positives = [passage for passage in group.passages if passage.answers_question][:1]
    negatives = [passage for passage in group.passages if not passage.answers_question]
    return (positives + negatives)[:PASSAGES_READ]


def _evidence(read: Sequence[tuple[EvidenceGroup, EvidencePassage, Judgement]]) -> dict[str, float]:
    right = judged_so = are = 0
    for _, passage, judged in read:
        for span, is_evidence in passage.sentences or ():
            is_judged_so = _broad(judged).evidence(span) >= _AT
            right += is_evidence and is_judged_so
            judged_so += is_judged_so
            are += is_evidence
    if not are:
        return {}
    return {
        "evidence_precision": round(right / max(1, judged_so), 4),
        "evidence_recall": round(right / are, 4),
        "evidence_f1": round(2 * right / (judged_so + are), 4),
    }


def _share(are_right: Sequence[bool]) -> float:
    return round(fmean(are_right), 4)


def _broad(judged: Judgement) -> BroadJudgement:
    assert judged.broad is not None
    return judged.broad

"""Every cited candidate of a run judged: what a calibrator learns from."""

from pathlib import Path

from app.answering.confidence.calibrator import JudgedAnswers
from app.answering.confidence.features import Backed, Evidence, features
from app.answering.trace_json.reading import candidate_of, candidates_of, hits_of, readings_of
from evaluation.configurations import AnswerFrom
from evaluation.documents import Documents
from evaluation.outcome import OutcomeReader
from evaluation.run_folder import PredictionLine, read_description, read_predictions


def judged_answers(run: Path) -> list[JudgedAnswers]:
    """The cited candidates of each question of a run with their features, and which are right and supported.

    Raises:
        LoccitError: when the run is missing or damaged.
    """
    reader = OutcomeReader(Documents.of_run(read_description(run)), AnswerFrom.DECISION)
    return [_judged(line, reader) for line in read_predictions(run)]


def _judged(line: PredictionLine, reader: OutcomeReader) -> JudgedAnswers:
    trace = line["trace"]
    passages = {hit.passage.row: hit.passage for hit in hits_of(trace)}
    backed = [
        Backed.of(
            candidate_of(cited["candidate"], passages),
            [citation["quote"] for citation in cited["citations"]],
            cited["citations"][0]["support"],
        )
        for cited in trace["cited"]
    ]
    evidence = Evidence(line["question"], hits_of(trace), readings_of(trace), candidates_of(trace))
    return JudgedAnswers(
        question=line["question"],
        answerable=reader.answerable(line),
        rows=features(evidence, backed),
        right=tuple(
            reader.right(line, cited["candidate"]["answer"], cited["citations"]) for cited in trace["cited"]
        ),
    )

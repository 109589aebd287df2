"""The forms that are known, and the questions of a file in any of them."""

from collections.abc import Iterable
from reprlib import repr as shortened

from common.errors import LoccitError
from evaluation.question_sets.clapnq import CLAPNQ_FORM
from evaluation.question_sets.form import Form
from evaluation.question_sets.nq_open import NQ_OPEN_FORM
from evaluation.question_sets.own import OWN_FORM
from evaluation.question_sets.question import Question
from evaluation.question_sets.record import Record
from evaluation.question_sets.selfaware import SELFAWARE_FORM
from evaluation.question_sets.squad import SQUAD_FORM, SQUAD_PUBLISHED_FORM
from evaluation.question_sets.truthfulqa import TRUTHFULQA_FORM

# A record is of the first form all of whose keys it has, so one with more keys stands before one with fewer.
FORMS = (
    SQUAD_FORM,
    TRUTHFULQA_FORM,
    CLAPNQ_FORM,
    OWN_FORM,
    SELFAWARE_FORM,
    NQ_OPEN_FORM,
    SQUAD_PUBLISHED_FORM,
)


def questions_of(records: Iterable[Record], name: str) -> list[Question]:
    """The questions of a file's records, at least one, all of one form and each with its own id.

    ``name``: what messages call the file.

    Raises:
        LoccitError: naming the line that is not so.
    """
    questions: list[Question] = []
    form: Form | None = None
    locations: dict[str, str] = {}
    for record in records:
        own = _form_of(record)
        form = form or own
        if own is not form:
            raise record.malformed(
                f"the line has the form of {own.name}, but those before it that of {form.name}; "
                "keep one form to a file"
            )
        for question in form.questions(record):
            questions.append(question)
            _claim(question.id, record.location, locations)
    if not questions:
        raise LoccitError(f"{name} holds no questions; {_known_forms()}.")
    return questions


def _form_of(record: Record) -> Form:
    for form in FORMS:
        if form.keys <= record.fields.keys():
            return form
    keys = shortened(sorted(record.fields, key=str))
    raise LoccitError(f"{record.location} is not a question: its keys are {keys}; {_known_forms()}.")


def _known_forms() -> str:
    others = ", ".join(form.name for form in FORMS if form is not OWN_FORM)
    return (
        f'write {{"question": "...", "answers": ["..."]}}, one a line, or give a file in the form of {others}'
    )


def _claim(question_id: str, location: str, locations: dict[str, str]) -> None:
    if question_id in locations:
        raise LoccitError(
            f"{location}: the id {question_id!r} is that of another question too, at {locations[question_id]}; "
            "each needs its own."
        )
    locations[question_id] = location

"""Groups of the toy data as a language model is shown them, and readers that need no weights."""

from random import Random

from app.answering.cross_encoders.reader_model import Judgement
from app.answering.evidence_model.evidence_input import EvidenceTokenizer
from retriever.types import Span
from tests.tiny_models import byte_tokenizer
from training.adapter.example import EvidenceSettings, evidence_example
from training.data.question import Source

PLAIN = EvidenceSettings(passages=(1.0,), unanswerable=0.0, quoted=0.0)


class FirstAnswer:
    """A reader that finds the capitalised word after the first one."""

    sha256 = "e" * 64

    def judge(self, question, passages):
        judged = []
        for _, window in passages:
            place = next((n for n, one in enumerate(window) if n and one.isupper()), 0)
            end = place + len(window[place:].split()[0].rstrip("."))
            judged.append(Judgement(0.9, ((Span(place, max(end, place + 1)), 0.9),)))
        return judged


def tokenizer():
    return EvidenceTokenizer(byte_tokenizer(), begin=[])


def answerable(opened, source=Source.SQUAD, *, rows=1):
    """The first group that is answered by one of its passages, of which it has so many or more."""
    return next(one for one in opened.training()[source] if len(one.rows) >= rows and one.answerable)


def example_of(opened, record, settings=PLAIN, *, seed=0, reader=None):
    """The group as it is shown once; plainly, unless told otherwise."""
    return evidence_example(
        record, opened.store, tokenizer(), settings, reader or FirstAnswer(), Random(seed)
    )


def text_of(answer):
    """The text of a shown answer, its stop included."""
    return byte_tokenizer().decode(answer.ids)

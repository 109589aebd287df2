"""Three passages as a reader may read them, and what a scripted language model answers from each."""

from app.answering.types import Reading, ScoredSpan
from retriever.types import Hit, Passage, Span

TEXTS = {
    "Harbour": "The harbour opened in 1911. Its lighthouse is red.",
    "Orchard": "The orchard grows pears.",
    "Mill": "The mill stands by the brook. It was built of oak.",
}
SCRIPT = {" Harbour\n": " 1911.\n", " Orchard\n": " pears\n", " Mill\n": " oak"}


def reading(
    title: str, *, start: int = 100, continuation: str = "", spans=(), answerability=0.5, score=1.0
) -> Reading:
    text = TEXTS[title]
    passage = Passage(1, title, title, text, Span(start, start + len(text)), continuation)
    return Reading(Hit(passage, 1.0, 1), answerability, tuple(ScoredSpan(span, score) for span in spans))


READINGS = [reading(title) for title in TEXTS]

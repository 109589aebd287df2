"""What a language model wrote, as an answer: how much it may write, and what of it is the answer."""

from app.answering.language_models.protocol import Completion
from app.answering.text.identity import answer_identity
from app.answering.types import Candidate, CandidateSource
from retriever.types import Passage

ANSWER_TOKENS = 32
TEMPERATURE = 0.7
"""Of answers that are sampled."""
_QUOTE_MARKS = (('"', '"'), ("“", "”"), ("'", "'"), ("‘", "’"))


def tidied(answer: str) -> str:
    """The answer without outer white space, one final full stop and the quotation marks around it.

    The full stop of an abbreviation (``U.S.``) or of an ellipsis stays.
    """
    answer = answer.strip()
    if answer.endswith(".") and "." not in answer.split()[-1][:-1]:
        answer = answer[:-1].rstrip()
    for opening, closing in _QUOTE_MARKS:
        inner = answer[1:-1]
        if len(answer) > 1 and answer[0] == opening and answer[-1] == closing and closing not in inner:
            return inner.strip()
    return answer


def answers(text: str, *, no_answer: str) -> bool:
    """Whether what was written is an answer: not nothing, and not ``no_answer``, which is said for want of one."""
    return answer_identity(text) not in ("", answer_identity(no_answer))


def written_candidate(passage: Passage, completion: Completion, *, sample: int = 0) -> Candidate:
    """What a language model wrote, as an answer from this passage."""
    return Candidate(
        answer=tidied(completion.text),
        passage=passage,
        source=CandidateSource.LM,
        logprob=0.0 if completion.logprob is None else completion.logprob,
        tokens=0 if completion.logprob is None else completion.tokens,
        sample=sample,
    )

"""What the support model sees of a claim: question, claim, title and quote as tokens, and nothing else."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from app.answering.cross_encoders.reader_input import special_tokens
from app.answering.limits import QUESTION_TOKENS, TITLE_TOKENS, worth_tokenising
from app.answering.support import Claim
from retriever.text.folding import fold

CLAIM_TOKENS = 64
QUOTE_TOKENS = 160

SupportInput = tuple[tuple[int, ...], tuple[int, ...]]
"""(ids, types) of ``[CLS] question [SEP] claim [SEP] title [SEP] quote [SEP]``; types: 1 from the title on."""


class SupportTokenizer:
    """Tokens of claims, folded. ``quote_tokens``: what is longer of a quote is left out."""

    def __init__(self, folder: Path, *, quote_tokens: int = QUOTE_TOKENS) -> None:
        """``folder``: of the base model, with its ``tokenizer.json``."""
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._quote_tokens = quote_tokens
        self._cls, self._sep = special_tokens(self._tokenizer)

    def inputs(self, claims: Sequence[Claim]) -> list[SupportInput]:
        """A sequence for each claim, in order. The question mark at a question's end is left out."""
        if not claims:
            return []
        questions = self._ids([claim.question.rstrip("? ") for claim in claims], QUESTION_TOKENS)
        answers = self._ids([claim.answer for claim in claims], CLAIM_TOKENS)
        titles = self._ids([claim.title for claim in claims], TITLE_TOKENS)
        quotes = self._ids([claim.quote for claim in claims], self._quote_tokens)
        return [self._input(*parts) for parts in zip(questions, answers, titles, quotes, strict=True)]

    def _input(
        self, question: list[int], answer: list[int], title: list[int], quote: list[int]
    ) -> SupportInput:
        said = [self._cls, *question, self._sep, *answer, self._sep]
        shown = [*title, self._sep, *quote, self._sep]
        return (*said, *shown), (0,) * len(said) + (1,) * len(shown)

    def _ids(self, texts: list[str], most: int) -> list[list[int]]:
        texts = [worth_tokenising(text, most) for text in texts]
        return [
            encoding.ids[:most]
            for encoding in self._tokenizer.encode_batch(
                [fold(text).text for text in texts], add_special_tokens=False
            )
        ]

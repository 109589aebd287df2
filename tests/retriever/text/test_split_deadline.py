"""Splitting ends when it is told to: a huge document handed in must not outlast the time allowed."""

import pytest

from common.deadline import Deadline
from common.errors import DeadlineExceededError
from retriever.encoder import HashingEncoder
from retriever.index_writer import index_in_memory
from retriever.text.passages import PassageSettings
from retriever.types import Document


class EndsDuringTheSplitting(Deadline):
    """Ends at the check after so many; the first one is asked before a document is split."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self.left = checks

    def check(self, stage: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise DeadlineExceededError(f"The time allowed ran out during the stage {stage!r}.")


class NeverAsked(HashingEncoder):
    """Fails when it is asked to embed: then the splitting was over."""

    def encode_passages(self, texts):
        raise AssertionError("It was split to the end.")


@pytest.mark.parametrize("checks", [3, 1500])
def test_the_time_allowed_is_asked_while_one_document_is_split(checks):
    document = Document("a", "", "One sentence stands here. " * 1000)
    with pytest.raises(DeadlineExceededError, match="'index'"):
        index_in_memory(
            [document], NeverAsked(), PassageSettings(words=4), deadline=EndsDuringTheSplitting(checks)
        )

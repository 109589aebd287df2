import pytest

from common.deadline import Deadline
from common.errors import GivenUpError
from quote_check.check_answer import AnswerToCheck, read
from quote_check.corpus import GivenCorpus


class Counting(Deadline):
    """Given up when it is asked for the last time."""

    def __init__(self, most):
        super().__init__()
        self.left = most

    def check(self, stage):
        self.left -= 1
        if not self.left:
            self.give_up()
        super().check(stage)


def test_reading_asks_the_deadline_at_each_paragraph_quote_and_sentence():
    asked = AnswerToCheck('It says "the tower fell down" [1].\n\n' * 20)
    deadline = Counting(100)
    assert len(read(asked, GivenCorpus(()), deadline=deadline).quotes) == 20
    assert deadline.left == 40
    with pytest.raises(GivenUpError, match="'read'"):
        read(asked, GivenCorpus(()), deadline=Counting(60))

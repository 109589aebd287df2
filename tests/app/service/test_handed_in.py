import pytest

from app.service.handed_in import TextFormat, as_read
from common.deadline import Deadline
from common.errors import DeadlineExceededError, InvalidRequestError
from retriever.types import Document


class Counting(Deadline):
    """Ends after so many checks."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self.left = checks

    def check(self, stage: str) -> None:
        assert stage == "index"
        self.left -= 1
        if self.left < 0:
            raise DeadlineExceededError("The time allowed ran out.")


@pytest.mark.parametrize(
    ("format", "text"),
    [
        (TextFormat.HTML, "<p>word" * 5000),
        (TextFormat.MARKDOWN, "word\n\n" * 5000),
        (TextFormat.MARKDOWN, "*a **b " * 5000),
        (TextFormat.MARKDOWN, "- a\n" * 5000),
    ],
)
def test_the_time_allowed_is_asked_while_a_document_is_read(format, text):
    document = Document("a", "", text)
    with pytest.raises(DeadlineExceededError):
        as_read([document], {"a": format}, max_characters=10**6, deadline=Counting(500))


def test_plain_text_stays_as_it_is():
    document = Document("a", "", "<p>*word*")
    assert as_read([document], {}, max_characters=100) == (document,)


def test_a_table_that_repeats_its_cells_is_bounded_by_what_comes_of_it():
    table = Document("a", "", "<table><tr><td rowspan=999>word word" + "<tr><td>a" * 900)
    [read] = as_read([table], {"a": TextFormat.HTML}, max_characters=20_000)
    assert read.text.count("word word; a") == 900
    with pytest.raises(InvalidRequestError, match="once read, but at most 10,000 are accepted"):
        as_read([table], {"a": TextFormat.HTML}, max_characters=10_000)

import pytest

from evaluation.support_judge import SupportJudge

LONG = "The first tower at Eddystone was built by Henry Winstanley, an engraver, and lit in the year 1698."


@pytest.fixture(scope="module")
def judge():
    return SupportJudge()


@pytest.mark.parametrize(
    ("quote", "from_gold"),
    [
        ("tower at Eddystone was built by Henry Winstanley", True),  # eight words in a row
        ("It is said that a tower at Eddystone was built by Henry Winstanley.", True),
        ("a tower at Eddystone was built by Henry Smeaton", False),  # seven
        ("lit in the year 1698", True),  # all of it stands there, though it is short
        ("lit in the month 1698", False),
        (f"Some say otherwise. {LONG} Others agree.", True),
        ("", False),
        ("...", False),
    ],
)
def test_a_quote_is_from_the_gold_text_when_they_share_eight_words_or_one_holds_the_other(
    judge, quote, from_gold
):
    assert judge.from_gold(quote, [LONG]) is from_gold
    assert judge.from_gold(quote, ["Something else entirely.", LONG]) is from_gold
    assert not judge.from_gold(quote, [])


QUESTION = "who built the first tower at Eddystone"


# the quote has: an answer word missing; the answer in the title alone; none, two and one of the four words asked for
@pytest.mark.parametrize(
    ("answer", "title", "quote", "accepted"),
    [
        ("Yes", "Eddystone", "Henry Winstanley built a tower.", True),
        ("no.", "Eddystone", "Henry Winstanley built a tower.", True),
        ("Yes", "", "Henry Winstanley was an engraver.", False),
        ("Henry Winstanley", "Eddystone", "Henry Winstanley built the first tower.", True),
        ("Henry Winstanley", "Eddystone", "Winstanley's was the first tower that anybody built.", False),
        ("Henry Winstanley", "Henry Winstanley", "Winstanley built the first tower there.", True),
        ("Henry Winstanley", "Henry Winstanley", "He built the first tower at Eddystone.", False),
        ("Henry Winstanley", "", "Henry Winstanley was an engraver.", False),
        ("Henry Winstanley", "", "Henry Winstanley was at Eddystone with its towers.", True),
        ("Henry Winstanley", "", "Henry Winstanley had towers.", False),
        ("John Smeaton", "Eddystone", "Henry Winstanley built the first tower.", False),
        ("", "Eddystone", "Henry Winstanley built the first tower.", False),
    ],
)
def test_a_quote_is_accepted_that_holds_the_answer_and_half_of_the_question(
    judge, answer, title, quote, accepted
):
    assert judge.accepts(QUESTION, answer, title, quote) is accepted

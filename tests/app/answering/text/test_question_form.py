"""What the first words of a question tell of the kind of answer."""

import pytest

from app.answering.answer_kind import AnswerKind
from app.answering.text.question_form import asks_to_explain, kinds_told_by

SHORT, LIST, YES_NO, EXPLANATION = AnswerKind


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("how many hours of leave can I carry over", SHORT),
        ("How tall is Mount Everest?", SHORT),
        ("when did the war end", SHORT),
        ("in which year did it open", SHORT),
        ("Since which version does it use certificates?", SHORT),
        ("who was the first person on the moon", SHORT),
        ("who wrote the book", SHORT),
        ("which option disables caching", SHORT),
        ("what year was it", SHORT),
        ("what's the name of the ferry", SHORT),
        ("what is the default name of a branch?", SHORT),
        ("what is the named ferry", None),
        ("how do I open the lock", EXPLANATION),
        ("How to open the lock", EXPLANATION),
        ("how is glass made", EXPLANATION),
        ("why shouldn't I turn it off", EXPLANATION),
        ("what should I do if it is stolen", EXPLANATION),
        ("what is the difference between a lock and a key", EXPLANATION),
        ("who was Cleopatra?", EXPLANATION),
        ("who is Marie Curie", EXPLANATION),
        ("is Pluto a planet?", YES_NO),
        ("Can I sell leave", YES_NO),
        ("does the ferry sail", YES_NO),
        ("isn't it late", YES_NO),
        ("what are the planets", LIST),
        ("name all moons of Mars", LIST),
        ("Could you please tell me when the war ended?", SHORT),
        ("do you know who wrote Hamlet", SHORT),
        ("Can you list the planets?", LIST),
        ("can you explain how it works", EXPLANATION),
        ("Would you name the capital of France", SHORT),
        ("is the Nile or the Amazon longer?", None),
        ("should I use tabs or spaces", None),
        ("who is Google's CEO", SHORT),
        ("who was president in 1990", SHORT),
        ("May 8 1945 what happened?", None),
        ("what is photosynthesis", None),
        ("capital of australia", None),
        ("the Will of God", None),
        ("Will Smith", None),
        ("canned fish", None),
        ("who was Alfred", EXPLANATION),
        ("who was alfred nobel", EXPLANATION),
        ("who is responsible", SHORT),
        ("who is eligible?", SHORT),
        ("who is in charge", SHORT),
        ("who was elected", SHORT),
        ("who was arrested there", SHORT),
        ("who is president", SHORT),
        ("who is your boss", SHORT),
        ("can you smoke here", YES_NO),
        ("would you need a visa", YES_NO),
        ("could you describe how tides work", EXPLANATION),
        ("can you show me how to open it", EXPLANATION),
        ("will smith was born in which year", None),
        ("may day is on what date", None),
        ("will it rain", YES_NO),
        ("", None),
    ],
)
def test_the_first_words_tell_what_is_asked_for(question, kind):
    told = {SHORT: {SHORT, LIST}, None: set()}.get(kind, {kind})
    assert kinds_told_by(question) == told


@pytest.mark.parametrize(
    "question",
    ["who is {} b c d", "what is {}", "can you {} b", "is {} b", "please {}", "in {} d", "how {} or"],
)
def test_a_word_of_any_length_is_one_word(question):
    """A pattern that tries every way to cut it would not come to an end."""
    for long in ("a" * 2_000, "do you know " * 200, "can you " * 300, "x" + " " * 2_000 + "y"):
        assert len(kinds_told_by(question.format(long))) <= 2
        assert asks_to_explain(question.format(long)) in (True, False)


@pytest.mark.parametrize(
    ("question", "explain"),
    [
        ("why is the sky blue", True),
        ("Could you tell me how to open the lock?", True),
        ("how is steel made", True),
        ("how did Julius Caesar die", True),
        ("please explain tides", True),
        ("what is photosynthesis", True),
        ("What are vaccines?", True),
        ("what is a firewall", True),
        ("what is its population", False),
        ("what is it", False),
        ("what is your name", False),
        ("what is body temperature", False),
        ("what is the internet", False),
        ("what is included?", False),
        ("what is required", False),
        ("what is speed", True),
        ("what is 42", False),
        ("how do you say hello in French", False),
        ("how is it called", False),
        ("how many are there", False),
        ("who was queen", False),
        ("what happens when iron rusts", False),
        ("is it why", False),
    ],
)
def test_what_asks_to_explain(question, explain):
    assert asks_to_explain(question) is explain

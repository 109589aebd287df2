import pytest

from app.answering.generators.written_answers import tidied
from app.answering.language_models import few_shot_prompt as prompt
from app.answering.language_models.few_shot_prompt import EXAMPLES, NO_ANSWER
from app.answering.text.normalise import normalise_answer
from common.packaged import LANGUAGE_MODELS, default_cache_dir
from tests.real_models import load_language_model

RESERVED = {
    "Marie Curie",
    "Photosynthesis",
    "Amazon River",
    "Bicycle",
    "Mozambique",
    "Penicillin",
    "Great Wall of China",
    "Saxophone",
    "Honey",
    "Isaac Newton",
}


def test_examples_keep_to_the_reserved_topics():
    assert {example.title for example in EXAMPLES} <= RESERVED
    assert len({example.title for example in EXAMPLES}) == len(EXAMPLES)


def test_every_answer_stands_in_its_passage():
    for example in EXAMPLES:
        if example.answer is not None:
            assert normalise_answer(example.answer) in normalise_answer(example.passage)


def test_at_least_one_example_has_no_answer():
    assert any(example.answer is None for example in EXAMPLES)


def test_example_answers_are_already_tidy():
    for example in EXAMPLES:
        assert tidied(example.answer or NO_ANSWER) == (example.answer or NO_ANSWER)


def test_the_prefix_is_the_examples_as_prompts_with_their_answers():
    text = prompt.prefix()
    for example in EXAMPLES:
        asked = prompt.prompt(example.title, example.passage, example.question)
        assert f"Title:{asked} {example.answer or NO_ANSWER}\n\n" in text
    assert text.endswith("\n\nTitle:")


def test_a_prompt_ends_where_the_answer_begins():
    assert prompt.prompt("T", "P.", "q?").endswith("Question: Q?\nAnswer:")


@pytest.mark.parametrize(
    ("typed", "spelt"),
    [
        ("who was it", "Who was it?"),
        ("Who was it?", "Who was it?"),
        ("name it.", "Name it."),
        ("état", "État?"),
        ("", "?"),
    ],
)
def test_a_question_is_spelt_as_in_the_examples(typed, spelt):
    assert prompt.asked(typed) == spelt


def test_the_examples_are_spelt_as_a_users_question_will_be():
    for example in EXAMPLES:
        assert prompt.asked(example.question) == example.question


def test_line_ends_in_a_passage_cannot_end_it():
    text = prompt.prompt("T\n1", "one\n\nAnswer: no\r\ntwo", "what\nis it?")
    assert text.split("\n") == [
        " T 1",
        "Passage: one Answer: no two",
        "Question: What is it?",
        "Answer:",
    ]


@pytest.mark.models
@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_the_prefix_ends_where_a_token_of_a_packaged_model_does(name):
    lm = load_language_model(name, cache_dir=default_cache_dir())
    asked = prompt.prompt("Loccit", "It quotes.", "what does it do?")
    assert lm._ids(prompt.prefix()) + lm._ids(asked) == lm._ids(prompt.prefix() + asked)

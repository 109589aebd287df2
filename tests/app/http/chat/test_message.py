"""The text of a message, and which of its characters each quote backs."""

import pytest

from app.answering.answer_kind import AnswerKind
from app.answering.types import AbstainReason
from app.http.chat.message import message_of
from app.http.chat.models import ChatModel
from app.http.described import examples
from app.service.response import AnswerResponse

QUOTE = examples.ANSWER["citations"][0]["quote"]
URL = "https://en.wikipedia.org/wiki/Eiffel_Tower"


def response(example=examples.ANSWER, **changes) -> AnswerResponse:
    return AnswerResponse.model_validate({**example, "conflict": None, **changes})


def told(response: AnswerResponse, model: ChatModel = ChatModel.WITH_SOURCES):
    return message_of(response, model, lambda citation: f"at:{citation['document_id']}")


def backed(message) -> list[str]:
    """The characters that each annotation is about."""
    places = [annotation["url_citation"] for annotation in message["annotations"]]
    return [message["content"][place["start_index"] : place["end_index"]] for place in places]


def rival(quote="It opened in 1848.", **changes):
    [citation] = examples.ANSWER["citations"]
    other = {**citation, "quote": quote, "document_id": "other", "title": "", "url": None, **changes}
    return {"answer": "in *1848*", "confidence": 0.4, "citations": [other]}


def test_with_sources_the_answer_comes_first_then_its_quote_its_confidence_and_the_terms():
    assert told(response(confidence=0.88, calibration=None))["content"] == (
        "Gustave Eiffel [1]\n\n"
        "**Sources**\n\n"
        f"[1] \u201c{QUOTE}\u201d ([Eiffel Tower]({URL}))\n\n"
        "Loccit: confidence 0.88 (a score, not a probability)\n\n"
        "vital-articles: Wikipedia contributors, CC BY-SA 4.0"
    )


def test_what_such_answers_were_worth_elsewhere_is_told():
    calibration = {
        "fitted_on": "x",
        "applies": False,
        "elsewhere": {"min_confidence": 0.85, "given": 60, "right": 48},
    }
    assert (
        "confidence 0.88 (a score, not a probability; on other documents 48 of 60 with 0.85 or more were right)"
        in told(response(confidence=0.88, calibration=calibration))["content"]
    )


def test_plain_is_the_answer_alone_as_it_is():
    message = told(response(answer="*E. & Co*", short_answer="*E. & Co*"), ChatModel.PLAIN)
    assert message["content"] == "*E. & Co*"
    assert backed(message) == ["*E. & Co*"]


def test_an_annotation_says_where_its_document_is_and_holds_the_quote_with_its_place_and_confidence():
    [citation] = examples.ANSWER["citations"]
    for model in ChatModel:
        [annotation] = told(response(confidence=0.25), model)["annotations"]
        assert annotation == {
            "type": "url_citation",
            "url_citation": {
                "start_index": 0,
                "end_index": len("Gustave Eiffel"),
                "title": "Eiffel Tower",
                "url": "at:Eiffel_Tower",
            },
            "loccit": {**citation, "confidence": 0.25},
        }


def test_each_sentence_of_a_long_answer_has_its_own_mark():
    long = response(examples.LONG_ANSWER)
    sentences = [citation["quote"].strip() for citation in examples.LONG_ANSWER["citations"]]
    assert len(sentences) == 2
    message = told(long)
    assert message["content"].startswith(f"{sentences[0]} [1] {sentences[1]} [2]\n\n**Sources**")
    assert backed(message) == sentences
    plain = told(long, ChatModel.PLAIN)
    assert plain["content"] == long.answer
    assert backed(plain) == sentences


def of_kind(kind: AnswerKind, answer: str, *quotes: str) -> AnswerResponse:
    [citation] = examples.ANSWER["citations"]
    return response(
        kind=kind, answer=answer, citations=[{**citation, "quote": quote} for quote in quotes], confidence=0.5
    )


def test_the_items_of_a_list_are_a_line_each_with_its_own_mark():
    listed = of_kind(AnswerKind.LIST, "*Tower* one\nTower two", "*Tower*\n one", "Tower  two")
    message = told(listed)
    assert message["content"].startswith("\\*Tower\\* one [1]  \nTower two [2]\n\n**Sources**")
    assert backed(message) == ["\\*Tower\\* one", "Tower two"]
    plain = told(listed, ChatModel.PLAIN)
    assert plain["content"] == listed.answer
    assert backed(plain) == ["*Tower* one", "Tower two"]


def test_the_items_of_a_list_that_a_model_wrote_are_a_line_each_and_all_quotes_back_them():
    listed = of_kind(AnswerKind.LIST, "The *A*\nThe B\nThe C", "A stands.", "B stands.", "C stands.")
    message = told(listed)
    assert message["content"].startswith("The \\*A\\*  \nThe B  \nThe C [1] [2] [3]\n\n**Sources**")
    assert backed(message) == ["The \\*A\\*  \nThe B  \nThe C"] * 3
    plain = told(listed, ChatModel.PLAIN)
    assert plain["content"] == "The *A*\nThe B\nThe C"


def test_the_lines_of_any_other_answer_are_one():
    assert told(of_kind(AnswerKind.SHORT, "Gustave\nEiffel", "It is."))["content"].startswith(
        "Gustave Eiffel [1]\n\n"
    )


def test_an_answer_shows_the_marks_that_it_begins_with():
    steps = of_kind(AnswerKind.LIST, "3. Open it.\n- 5 degrees", "3. Open it.", "- 5 degrees")
    assert told(steps)["content"].startswith("3\\. Open it. [1]  \n\\- 5 degrees [2]\n\n")
    assert told(of_kind(AnswerKind.SHORT, "# 5", "It is."))["content"].startswith("\\# 5 [1]\n\n")


@pytest.mark.parametrize("said", ["Yes", "No"])
def test_yes_or_no_comes_first_and_no_quote_holds_it(said):
    asked = of_kind(AnswerKind.YES_NO, f"{said}. It fell. It rose.", "It fell.", "It rose.")
    message = told(asked)
    assert message["content"].startswith(f"{said}. It fell. [1] It rose. [2]\n\n**Sources**")
    assert backed(message) == ["It fell.", "It rose."]
    plain = told(asked, ChatModel.PLAIN)
    assert plain["content"] == asked.answer
    assert backed(plain) == ["It fell.", "It rose."]


def test_sentences_that_explain_have_their_own_marks():
    message = told(of_kind(AnswerKind.EXPLANATION, "It fell. It rose.", "It fell.", "It rose."))
    assert message["content"].startswith("It fell. [1] It rose. [2]\n\n")


def test_a_short_answer_is_not_parted_at_its_quote():
    message = told(of_kind(AnswerKind.SHORT, "Yes. It fell.", "It fell."))
    assert message["content"].startswith("Yes. It fell. [1]\n\n")
    assert backed(message) == ["Yes. It fell."]


def test_an_answer_with_several_quotes_is_backed_by_all_of_them():
    [citation] = examples.ANSWER["citations"]
    message = told(response(citations=[citation, {**citation, "start": 0, "end": 5, "quote": "Named"}]))
    assert message["content"].startswith("Gustave Eiffel [1] [2]\n\n")
    assert backed(message) == ["Gustave Eiffel"] * 2


def test_what_another_document_says_is_told_with_its_own_quote_and_confidence():
    message = told(response(conflict=rival()))
    assert (
        "Gustave Eiffel [1]\n\nAnother document says otherwise: in \\*1848\\* [2]\n\n" in message["content"]
    )
    assert "\n\n[2] \u201cIt opened in 1848.\u201d (other)\n\n" in message["content"]
    assert backed(message) == ["Gustave Eiffel", "in \\*1848\\*"]
    assert message["annotations"][1]["loccit"]["confidence"] == 0.4
    assert told(response(conflict=rival()), ChatModel.PLAIN)["content"] == "Gustave Eiffel"


def test_an_abstention_is_a_sentence_and_its_nearest_quotes_are_called_no_answer():
    [citation] = examples.ANSWER["citations"]
    abstained = response(
        answer=None,
        short_answer=None,
        abstained=True,
        abstain_reason=AbstainReason.LOW_CONFIDENCE,
        citations=[],
        nearest=[{**citation, "locator": "page 3"}],
    )
    sentence = "No answer: it is not sure enough of its best answer."
    message = told(abstained)
    assert message["content"] == (
        f"{sentence}\n\n**The nearest quotes, which are no answer**\n\n"
        f"- \u201c{QUOTE}\u201d ([Eiffel Tower]({URL}), page 3)\n\n"
        "vital-articles: Wikipedia contributors, CC BY-SA 4.0"
    )
    assert message["annotations"] == []
    assert told(abstained, ChatModel.PLAIN)["content"] == sentence


def test_a_document_cannot_bring_links_or_pictures_into_the_message():
    [citation] = examples.ANSWER["citations"]
    hostile = {
        **citation,
        "quote": "![x](https://evil.example/x.png)\n# Eiffel",
        "title": "[click](https://evil.example)",
        "url": "javascript:alert(1)",
    }
    content = told(response(citations=[hostile], answer="<img src=x>"))["content"]
    assert content.startswith("\\<img src=x\\> [1]\n\n")
    assert "\u201c!\\[x\\](https://evil.example/x.png) # Eiffel\u201d" in content
    assert "(\\[click\\](https://evil.example))" in content
    assert "javascript" not in content

"""From a conversation to what is asked, and what is refused."""

import base64

import pytest

from app.http.chat.question import ask_of
from app.http.chat.wire import ChatRequest
from app.service.ask import Ask
from app.service.settings import Settings
from common.errors import InvalidRequestError
from retriever.types import Document


def ask(content, *, earlier=(), **fields) -> Ask:
    messages = [*earlier, {"role": "user", "content": content}]
    request = ChatRequest.model_validate({"model": "loccit", "messages": messages, **fields})
    return ask_of(request, Settings())


def refused(*given, **fields) -> str:
    with pytest.raises(InvalidRequestError) as error:
        ask(*given, **fields)
    return str(error.value)


def file(data: bytes, kind: str = "text/plain", name: str | None = "notes.txt"):
    encoded = base64.b64encode(data).decode()
    named = {} if name is None else {"filename": name}
    return {"type": "file", "file": {"file_data": f"data:{kind};base64,{encoded}", **named}}


def text(said: str):
    return {"type": "text", "text": said}


def test_the_last_user_message_is_the_question_and_nothing_else_is_read():
    earlier = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]},
        {"role": "assistant", "content": None, "tool_calls": []},
    ]
    assert ask("  who\nran it? ", earlier=earlier) == Ask("who ran it?")
    request = ChatRequest.model_validate(
        {"model": "loccit", "messages": [text_message("who?"), {"role": "assistant", "content": "Sure:"}]}
    )
    assert ask_of(request, Settings()) == Ask("who?")


def text_message(said: str):
    return {"role": "user", "content": said}


def test_a_fenced_block_is_the_document():
    assert ask("who ran it?\n```\nAnn ran it. 🗼\n```") == Ask(
        "who ran it?", documents=(Document("document-1", "", "Ann ran it. 🗼"),)
    )


def test_text_parts_before_the_last_and_files_are_documents_in_their_order():
    content = [text("```\nAnn\n```"), file("\ufeffBob\r\n".encode()), text(" "), text("who?\n~~~\nCy\n~~~")]
    assert ask(content) == Ask(
        "who?",
        documents=(
            Document("document-1", "", "```\nAnn\n```"),
            Document("document-2", "notes.txt", "Bob\r\n"),
            Document("document-3", "", "Cy"),
        ),
    )
    after = ask([text("who?"), file(b"Bob", "text/markdown", None)])
    assert after == Ask("who?", documents=(Document("document-1", "", "Bob"),))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "The question is blank; ask something in 1 to 2,000 characters."),
        ("```\nAnn\n```", "The question is blank; ask something in 1 to 2,000 characters."),
        (
            "x" * 2_001,
            "The question has 2,001 characters, but at most 2,000 are accepted; hand longer text in as a document and "
            "ask about it.",
        ),
        (
            None,
            "The content of the last user message is None, but it must be a text, or a list of text and file parts.",
        ),
        (
            [text("who?"), {"type": "image_url", "image_url": {"url": "x"}}],
            "Part 2 of the last user message is 'image_url', but only parts of the type text, with a text, and of the "
            "type file are read.",
        ),
        (
            [{"type": "text", "text": 5}],
            "Part 1 of the last user message is {'type': 'text', 'text': 5}, but only parts of the type text, with a "
            "text, and of the type file are read.",
        ),
        (
            [text("who?"), {"type": "file", "file": {"file_id": "file-1"}}],
            "A file part brings no file_data, but it must hold its text there, as 'data:text/plain;base64,...'.",
        ),
        (
            [text("who?"), file(b"%PDF", "application/pdf", "a.pdf")],
            "The file 'a.pdf' comes as 'application/pdf', but only text is read here, as "
            "'data:text/plain;base64,...'; index other files, or hand in their text.",
        ),
        (
            [text("who?"), {"type": "file", "file": {"file_data": "data:text/plain,who"}}],
            "The file '' comes as 'text/plain', but only text is read here, as 'data:text/plain;base64,...'; index "
            "other files, or hand in their text.",
        ),
        (
            [text("who?"), file(b"\xff")],
            "The file 'notes.txt' is no text in UTF-8, sent in base64 ('utf-8' codec can't decode byte 0xff in "
            "position 0: invalid start byte); send it so.",
        ),
        ([text("Ann")] * 21 + [text("who?")], "21 documents were given, but at most 20 are accepted."),
    ],
)
def test_what_cannot_be_answered_is_refused_in_a_sentence(content, sentence):
    assert refused(content) == sentence


def test_without_a_user_message_there_is_no_question():
    request = ChatRequest.model_validate(
        {"model": "loccit", "messages": [{"role": "system", "content": "Hi."}]}
    )
    with pytest.raises(InvalidRequestError, match="No message is of the role user; the last one"):
        ask_of(request, Settings())


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("tools", [{"type": "function"}], "Loccit calls no tools"),
        ("functions", [{"name": "f"}], "Loccit calls no functions"),
        ("n", 2, "a question has one answer"),
        ("response_format", {"type": "json_object"}, "an answer is text"),
        ("logprobs", True, "there are none"),
        ("top_logprobs", 3, "there are none"),
        ("modalities", ["text", "audio"], "an answer is text"),
        ("audio", {"voice": "x"}, "an answer is text"),
        ("web_search_options", {}, "Loccit searches its own index alone"),
    ],
)
def test_a_field_that_asks_for_what_there_is_not_is_refused_with_the_reason(name, value, reason):
    assert refused("who?", **{name: value}) == f"The field {name} is not supported: {reason}; leave it out."


def test_fields_that_ask_for_nothing_and_those_without_a_meaning_here_are_accepted():
    asking_nothing = {
        "tools": [],
        "functions": None,
        "n": 1,
        "response_format": {"type": "text"},
        "logprobs": False,
        "modalities": ["text"],
    }
    unused = {"temperature": 0.2, "max_tokens": 5, "user": "ann", "seed": 1, "stop": ["."], "made_up": {}}
    assert ask("who?", **asking_nothing, **unused) == Ask("who?")

"""Which part of a message is handed in, and which is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.chat.fences import divided
from tests.growth import assert_linear


@pytest.mark.parametrize(
    ("message", "said", "texts"),
    [
        ("who ran it?", "who ran it?", []),
        ("who ran it?\n```\nAnn ran it.\nBob slept.\n```", "who ran it?", ["Ann ran it.\nBob slept."]),
        ("```text\r\nAnn\r\n```\r\nwho ran it?", "who ran it?", ["Ann"]),
        ("a\n~~~~\n~~~\nAnn\n~~~~\nb\n```\nBob\n```\nc", "a b c", ["~~~\nAnn", "Bob"]),
        ("who?\n````\nAnn\n```", "who?", ["Ann\n```"]),
        ("who?\n```\n\n```", "who?", []),
        ("is ```x``` inline?", "is ```x``` inline?", []),
        ("```x``` begins a line", "```x``` begins a line", []),
        ("who?\n    ```\nindented code is no fence", "who? ``` indented code is no fence", []),
        ("who?\n```\nAnn\n``` more", "who?", ["Ann\n``` more"]),
        ("who?\n~~~ a `b` c\nAnn\n~~~", "who?", ["Ann"]),
    ],
)
def test_what_stands_in_fences_is_handed_in_and_the_rest_is_said(message, said, texts):
    around, within = divided(message)
    assert " ".join(around.split()) == said
    assert within == texts


@given(st.text("`~ \r\na", max_size=40))
def test_nothing_is_handed_in_that_does_not_stand_in_the_message(message):
    around, texts = divided(message)
    assert all(text in message for text in texts)
    if "```" not in message and "~~~" not in message:
        assert (around, texts) == (message, [])


@pytest.mark.parametrize("mark", ["```\n", "~~~\n```\n", "`~" * 9, "~" * 9, "````\n```\n"])
def test_a_long_message_is_divided_in_time_in_proportion_to_its_length(mark):
    assert_linear(lambda characters: divided(mark * (characters // len(mark))), 200_000)

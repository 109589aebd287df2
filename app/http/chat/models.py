"""The names that chat clients ask for: one service, told in two ways."""

from enum import StrEnum

from common.errors import LoccitError


class ChatModel(StrEnum):
    """How an answer is told."""

    WITH_SOURCES = "loccit"
    """Markdown: the answer with numbered marks, and below it its quotes. Most chat programs show the text alone."""
    PLAIN = "loccit-plain"
    """The answer alone, as plain text, for programs that read the annotations."""


class ModelNotFoundError(LoccitError):
    """A chat client asked for a model that there is not."""


def chat_model(name: str) -> ChatModel:
    """The model of this name; ModelNotFoundError when there is none."""
    try:
        return ChatModel(name)
    except ValueError:
        known = " and ".join(ChatModel)
        raise ModelNotFoundError(f"There is no model {name[:80]!a}; there are {known}.") from None

"""The stages whose outcome a prediction file keeps."""

from enum import StrEnum


class Stage(StrEnum):
    """A stage that another run can take over, in the order of a question's way."""

    RETRIEVE = "retrieve"
    READ = "read"
    GENERATE = "generate"

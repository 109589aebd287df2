"""How much of each text a language model reads, in its tokens, and how many tokens a model is given at once."""

TITLE_TOKENS = 32
QUESTION_TOKENS = 64
EVIDENCE_TOKENS = 256
"""Of a passage with its continuation, from the beginning."""
PASSAGES_SHOWN = 5
"""To a language model behind a server, all at once."""
TOKENS_AT_ONCE = 384
"""Of a call that nothing can interrupt: more are read call by call, with a look at the clock before each."""
PASSAGES_READ_AGAIN = 3
"""Of the passages that the small reader reads, how many the strong one reads again: each costs it six times as much."""
CHARACTERS_A_TOKEN = 32


def worth_tokenising(text: str, tokens: int) -> str:
    """The beginning of a text of which so many tokens are read: what cannot be among them is not tokenised.

    A token of more than 32 characters on average is a run of one sign, which says nothing.
    """
    return text[: tokens * CHARACTERS_A_TOKEN]

"""How much of each text a language model reads, in its tokens."""

TITLE_TOKENS = 32
EVIDENCE_TOKENS = 256
"""Of a passage with its continuation, from the beginning."""

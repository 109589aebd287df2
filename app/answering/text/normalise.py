"""When two answers are the same answer."""

import re
import string
import unicodedata

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise_answer(answer: str) -> str:
    """Lower-cased, without articles and punctuation, white space squeezed: SQuAD's normalisation.

    Compatibility forms are folded first (NFKC), so that a no-break space is a space.
    """
    folded = unicodedata.normalize("NFKC", answer).lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", folded).split())

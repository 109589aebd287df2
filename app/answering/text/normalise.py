"""When two answers are the same answer."""

import re
import string
import unicodedata

from retriever.text.folding import fold

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise_answer(answer: str) -> str:
    """Lower-cased, without articles and punctuation, white space squeezed: SQuAD's normalisation.

    It is folded first (see ``fold``), compatibility forms too (NFKC), so that a no-break space is a space.
    """
    folded = unicodedata.normalize("NFKC", fold(answer).text).lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", folded).split())

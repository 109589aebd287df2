"""How near a long text comes to known ones: ROUGE-L, by the longest common subsequence of their words."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer


def rouge_l(prediction: str, references: Sequence[str]) -> float:
    """0-1, higher is better: the best F1 against any reference (Lin 2004); 0 without a reference.

    P and R are the length of the longest common subsequence over either text's; words are runs of a-z and 0-9 in
    lower case, those of more than three letters stemmed (Porter), as Google's ``rouge_score`` does with its
    stemmer. So other scripts than Latin count as nothing.
    """
    scorer = _scorer()
    scores = (scorer.score(reference, prediction)["rougeL"].fmeasure for reference in references)
    return max(map(float, scores), default=0.0)


@cache
def _scorer() -> "RougeScorer":
    # it brings nltk: a second, and of no use where answers are short
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=True)

import pytest

from evaluation.metrics.citation import Place, citation_precision, citation_recall
from retriever.types import Span


def places(*spans, doc_id="d"):
    return [Place(doc_id, Span(*span)) for span in spans]


MARKED = places((10, 20), (30, 40))


@pytest.mark.parametrize(
    ("cited", "precision", "recall"),
    [
        ([(10, 20), (30, 40)], 1.0, 1.0),
        ([(0, 100)], 1.0, 1.0),
        ([(10, 20)], 1.0, 0.5),
        ([(0, 11), (20, 30)], 0.5, 0.0),  # one character of ten; what is between touches neither
        ([(0, 12), (20, 30), (30, 33), (35, 37)], 0.75, 0.5),  # two pieces make half of the second
        ([(30, 34), (30, 34)], 1.0, 0.0),  # the same four characters are not eight
        ([(15, 35)], 1.0, 1.0),  # half of each
        ([(40, 50), (0, 10), (50, 60)], 0.0, 0.0),
        ([], 0.0, 0.0),
    ],
)
def test_a_citation_is_precise_that_overlaps_and_a_sentence_found_that_is_half_covered(
    cited, precision, recall
):
    assert citation_precision(places(*cited), MARKED) == precision
    assert citation_recall(places(*cited), MARKED) == recall


def test_the_same_characters_of_another_document_are_another_place():
    cited = [*places((10, 20), doc_id="other"), *places((30, 40))]
    assert citation_precision(cited, MARKED) == 0.5
    assert citation_recall(cited, MARKED) == 0.5


def test_where_nothing_was_marked_there_is_nothing_to_find():
    assert citation_precision(places((0, 9)), []) == citation_recall(places((0, 9)), []) == 0.0

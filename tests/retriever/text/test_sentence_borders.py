import re

import pytest

from benchmarks.sentence_borders import (
    BORDER,
    GOLDEN,
    NO_BORDER,
    MarkedText,
    marked_texts,
    own_borders,
    score,
)

TEXTS = marked_texts()


@pytest.mark.parametrize("marked", TEXTS, ids=[marked.text[:30] for marked in TEXTS])
def test_borders_stand_where_they_are_marked_and_nowhere_else(marked):
    assert set(own_borders(marked.text)) == marked.borders


def test_there_are_hard_places_of_both_kinds():
    borders = sum(len(marked.borders) for marked in TEXTS)
    none = sum(len(marked.none) for marked in TEXTS)
    assert borders >= 150
    assert none >= 150
    lines = [line for line in GOLDEN.read_text(encoding="utf-8").splitlines() if not line.startswith(";")]
    assert borders + none == len(re.findall(f"[{BORDER}{NO_BORDER}]", "\n".join(lines)))


def test_a_marked_text_is_read_with_its_places():
    assert MarkedText.of("It fell. ‖Dr. ⁀Berg⏎‖left.") == MarkedText(
        "It fell. Dr. Berg\nleft.", frozenset({9, 18}), frozenset({13})
    )


def test_borders_are_scored_over_all_texts():
    texts = [MarkedText.of("a. ‖B. ⁀c"), MarkedText.of("d. ‖E. ‖F")]
    got = score(lambda text: {3, 6} if text.startswith("a") else {3}, texts)
    assert (got.precision, got.recall, got.misplaced) == (2 / 3, 2 / 3, 1)
    assert got.f1 == pytest.approx(2 / 3)

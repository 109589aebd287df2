import pytest

from evaluation.metrics.rouge import rouge_l

REFERENCE = "The ferry sails twice a day."


@pytest.mark.parametrize(
    ("prediction", "f1"),
    [
        (REFERENCE, 1.0),
        ("the ferry SAILS, twice a day!", 1.0),  # case and punctuation aside
        ("The ferries sail daily.", 0.6),  # the, ferri, sail of 4 and of 6: 2 * (3/4) * (3/6) / (3/4 + 3/6)
        ("day a twice sails ferry the", 1 / 6),  # in order, one word at a time
        ("The red ferry of old sails in a calm day", 0.625),  # 5 of 10 and of 6, with gaps
        ("Nothing else", 0.0),
        ("", 0.0),
    ],
)
def test_rouge_l_is_the_f1_of_the_longest_common_subsequence_of_stems(prediction, f1):
    assert rouge_l(prediction, [REFERENCE]) == pytest.approx(f1)


def test_the_nearest_reference_counts_and_without_one_there_is_nothing():
    assert rouge_l("The ferries sail daily.", ["Sheep graze", REFERENCE, "Muck"]) == pytest.approx(0.6)
    assert rouge_l(REFERENCE, []) == 0.0

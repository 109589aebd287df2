import pytest

from app.answering.generators.written_answers import tidied


@pytest.mark.parametrize(
    ("written", "tidy"),
    [
        (" Paris.", "Paris"),
        ("“The Hay Wain”", "The Hay Wain"),
        ('"Aye."', "Aye."),
        ("'it' and 'that'", "'it' and 'that'"),
        ("the U.S.", "the U.S."),
        ("and so on...", "and so on..."),
        ("5.5 m.", "5.5 m"),
        ('the "Beagle"', 'the "Beagle"'),
        (".", ""),
        ("   ", ""),
        ("'", "'"),
    ],
)
def test_an_answer_is_tidied_at_its_ends_only(written, tidy):
    assert tidied(written) == tidy

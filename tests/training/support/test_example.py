"""Examples are drawn by the shares of their kinds, and are a function of the seed."""

from random import Random

from tests.training.support.toy_claims import ASKED, SEEDS, examples_of
from training.support.kinds import SupportSettings


def test_a_drawn_example_is_a_function_of_the_seed(examples):
    drawn = [examples.drawn(ASKED, Random(seed)) for seed in SEEDS]
    assert drawn == [examples.drawn(ASKED, Random(seed)) for seed in SEEDS]
    assert len({one.kind for one in drawn}) > 6


def test_about_half_of_what_is_drawn_is_supported_and_a_quarter_are_sentences():
    examples = examples_of(SupportSettings())
    drawn = [examples.drawn(ASKED, Random(seed)) for seed in range(400)]
    assert 0.42 < sum(one.kind.supported for one in drawn) / 400 < 0.58
    assert 0.18 < sum(one.kind.value.endswith("sentence") for one in drawn) / 400 < 0.32

"""What the tests of claims share."""

import pytest

from tests.training.support.toy_claims import examples_of
from training.support.example import SupportExamples


@pytest.fixture
def examples() -> SupportExamples:
    """Makes claims of three passages, plainly."""
    return examples_of()

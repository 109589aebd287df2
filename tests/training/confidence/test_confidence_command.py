"""What a manifest says of how a calibrator was made."""

import pytest

from training.confidence_command import _after

FIT = "loccit calibrate FILE --side calibrate"
LAW = "loccit train confidence --into a.json --each 40"


@pytest.mark.parametrize(
    ("earlier", "together"),
    [
        (None, LAW),
        (FIT, f"{FIT} && {LAW}"),
        (f"{FIT} && loccit train confidence --into a.json --each 20", f"{FIT} && {LAW}"),
    ],
    ids=["unknown", "a fit", "a fit with another law"],
)
def test_a_law_takes_the_place_of_an_earlier_one(earlier, together):
    assert _after(earlier, LAW) == together

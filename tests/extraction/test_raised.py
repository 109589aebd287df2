"""What stands raised must not become another number."""

import pytest

from extraction.raised import raised


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("6", "⁶"),
        ("-12", "⁻¹²"),
        ("\N{MINUS SIGN}1", "⁻¹"),
        ("n", "ⁿ"),
        (" 2 ", " ² "),
        ("1,2", "¹,²"),
        ("th", "th"),
        ("[1]", "[1]"),
        ("2nd", "2nd"),
        ("", ""),
    ],
)
def test_digits_and_signs_are_raised_and_what_has_no_such_character_stays(text, shown):
    assert raised(text) == shown

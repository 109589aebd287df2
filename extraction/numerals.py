"""Roman numerals, as lists and pages are numbered with them."""

_SIGNS = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
MOST = 3999
"""The greatest number that is written so."""


def roman(number: int) -> str:
    """The number, from 1 to ``MOST``, in small letters."""
    letters = ""
    for value, sign in _SIGNS:
        letters += sign * (number // value)
        number %= value
    return letters

"""Superscripts as characters: what stands raised on a page must not become another number."""

_RAISED = str.maketrans("0123456789+-\N{MINUS SIGN}=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")


def raised(text: str) -> str:
    """The superscript in Unicode's raised characters, where it has them all: ``10`` and a raised ``6`` are ``10⁶``.
    The comma between the numbers of notes stays as it is.

    Else as it is: the letters of "19th" and the brackets of a reference read well beside what they follow.
    """
    if all(character.isspace() or character == "," or ord(character) in _RAISED for character in text):
        return text.translate(_RAISED)
    return text

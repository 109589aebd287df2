"""Numbers of things, as they are told to people."""


def counted(number: int, noun: str) -> str:
    """``1 document``, ``2,000 documents``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")

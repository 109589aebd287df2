"""The packages that only some formats need."""

from extraction.extracted import UnreadableError


def missing_package(package: str, extra: str = "documents") -> UnreadableError:
    """Says which command installs what a format needs."""
    return UnreadableError(
        f"Reading it needs the package {package}, which is not installed; run `pip install 'loccit[{extra}]'`."
    )

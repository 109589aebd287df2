"""Packages that a training needs and that are not installed with Loccit itself."""

from importlib.util import find_spec

from common.errors import LoccitError


def require(package: str) -> None:
    """Raises: LoccitError, when this package of the extra `train` is not installed."""
    if find_spec(package) is None:
        raise LoccitError(f"This training needs {package}; install it with `pip install 'loccit[train]'`.")

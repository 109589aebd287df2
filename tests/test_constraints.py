"""What `make` installs is written down to the last package."""

from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"


def needed_by(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> set[str]:
    """The packages that this one needs here, and what those need."""
    if (name, extras) in seen:
        return set()
    seen.add((name, extras))
    needed = set()
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        markers = [{"extra": extra} for extra in (*extras, "")]
        if requirement.marker is None or any(map(requirement.marker.evaluate, markers)):
            inner = canonicalize_name(requirement.name)
            needed |= {inner} | needed_by(inner, frozenset(requirement.extras), seen)
    return needed


def pins() -> list[str]:
    return [line for line in CONSTRAINTS.read_text().splitlines() if not line.startswith("#")]


def test_every_package_that_the_tests_run_with_is_pinned():
    pinned = {canonicalize_name(pin.split("==")[0]) for pin in pins()}
    needed = needed_by("loccit", frozenset({"dev"}), set()) - {"loccit"}
    assert {"torch", "typer", "mdurl", "pytest"} <= needed
    assert needed - pinned == set()


def test_every_pin_is_one_exact_release_of_a_registry():
    for pin in pins():
        (specifier,) = Requirement(pin).specifier
        assert specifier.operator == "==", pin
        assert not {"*", "+"} & set(pin), pin

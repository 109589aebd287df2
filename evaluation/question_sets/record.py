"""One object of a question file, its fields checked as they are read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from reprlib import repr as shortened
from typing import Any

from app.answering.checked_input import lone_surrogate
from common.errors import LoccitError


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON object or a row of a table, with the line that it begins on (1 = first).

    A field that is null counts as absent. Every method raises LoccitError, naming ``location``, when the
    field is not what it promises.
    """

    fields: Mapping[str, Any]
    line: int
    location: str

    @classmethod
    def of(cls, value: object, line: int, location: str) -> "Record":
        """The record that a JSON value is; LoccitError when it is no object."""
        if not isinstance(value, dict):
            raise LoccitError(f"{location} is {shortened(value)}, but it must be a JSON object.")
        return cls(value, line, location)

    def has(self, key: str) -> bool:
        """Whether there is something under ``key``."""
        return self.fields.get(key) is not None

    def text(self, key: str) -> str:
        """A string that is not blank."""
        text = self.possibly_blank(key)
        if not text.strip():
            raise self.malformed(f"{key} is blank, but it must be a string with something in it")
        return text

    def possibly_blank(self, key: str) -> str:
        """A string."""
        if key not in self.fields:
            raise self.malformed(f"{key} is missing, but it must be a string")
        return self._string(self.fields[key], key)

    def optional_text(self, key: str) -> str | None:
        """A string; None when it is absent or blank."""
        text = self.possibly_blank(key) if self.has(key) else ""
        return text if text.strip() else None

    def texts(self, key: str) -> tuple[str, ...]:
        """The distinct strings of a list, in order, without blank ones; all blank is refused."""
        strings = [self._string(entry, f"{key}[{n}]") for n, entry in enumerate(self._list(key))]
        kept = distinct(strings)
        if strings and not kept:
            raise self.malformed(f"{key} holds nothing but blank strings; leave the list empty, or fill it")
        return kept

    def optional_texts(self, key: str) -> tuple[str, ...]:
        """As ``texts``; empty when it is absent."""
        return self.texts(key) if self.has(key) else ()

    def optional_id(self, key: str) -> str | None:
        """A string that is not blank, or a whole number written as one; None when it is absent."""
        value = self.fields.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return None if value is None else self.text(key)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false; ``default`` when it is absent."""
        value = self.fields[key] if self.has(key) else default
        if not isinstance(value, bool):
            raise self.malformed(f"{key} is {shortened(value)}, but it must be true or false")
        return value

    def record(self, key: str) -> "Record":
        """The object under ``key``."""
        return Record.of(self.fields.get(key), self.line, f"{self.location}, {key}")

    def records(self, key: str) -> list["Record"]:
        """The objects of a list."""
        return [
            Record.of(entry, self.line, f"{self.location}, {key}[{n}]")
            for n, entry in enumerate(self._list(key))
        ]

    def malformed(self, what: str) -> LoccitError:
        """The error that says what is wrong here; ``what`` is a clause without its full stop."""
        return LoccitError(f"{self.location}: {what}.")

    def _list(self, key: str) -> list[Any]:
        value = self.fields.get(key)
        if not isinstance(value, list):
            given = shortened(value) if key in self.fields else "missing"
            raise self.malformed(f"{key} is {given}, but it must be a list")
        return value

    def _string(self, value: object, name: str) -> str:
        if not isinstance(value, str):
            raise self.malformed(f"{name} is {shortened(value)}, but it must be a string")
        if (offset := lone_surrogate(value)) is not None:
            raise self.malformed(
                f"{name} holds the lone surrogate U+{ord(value[offset]):04X} at offset {offset}; "
                "a character needs both halves of its pair"
            )
        return value


def distinct(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts that are not blank, each once, in order of first appearance."""
    return tuple(dict.fromkeys(text for text in texts if text.strip()))

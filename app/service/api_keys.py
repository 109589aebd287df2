"""API keys: a file of who may ask, which holds no key, only what a key is known by.

docs/decisions/0021-keys-and-what-operators-see.md says why a plain SHA-256 is enough.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from filelock import FileLock
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from common.errors import InvalidRequestError, LoccitError
from common.files import whole_file
from retriever.filters import Filter, Scalar

_PREFIX = "loccit_"
_RANDOM_BYTES = 32
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_RATE = re.compile(r"([1-9][0-9]{0,8})/minute")


class KeyFileError(LoccitError):
    """The key file cannot be read, or holds something else than keys."""


class ApiKey(BaseModel):
    """Whom a key belongs to and what it allows.

    A field that this version does not know makes the file unreadable. So one that narrows what a key may see can be
    added later, and no earlier version passes over it.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=f"^{_NAME}$")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    created: str
    admin: bool = False
    per_minute: Annotated[int, Field(ge=1)] | None = None
    """Requests a minute. None: as many as come."""
    filter: dict[str, list[Scalar]] | None = None
    """For its holder there are only the documents that match it. None: all of them."""

    @field_validator("filter")
    @classmethod
    def _readable(cls, value: dict[str, list[Scalar]] | None) -> dict[str, list[Scalar]] | None:
        if value is not None:
            try:
                Filter.of(value)
            except InvalidRequestError as error:
                raise ValueError(str(error)) from error
        return value

    @model_validator(mode="after")
    def _limited_admins_are_none(self) -> Self:
        if self.admin and self.filter is not None:
            raise ValueError("an admin's key cannot be limited by a filter")
        return self

    @property
    def allowed(self) -> Filter | None:
        """The filter as it is applied; None: everything is allowed."""
        return None if self.filter is None else Filter.of(self.filter)


class _KeyFile(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    schema_: Literal[1] = Field(1, alias="schema")
    keys: list[ApiKey] = []


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of a file, as they were when it was read."""

    keys: tuple[ApiKey, ...]

    @classmethod
    def load(cls, path: Path) -> "KeyRing":
        """The keys in the file.

        Raises:
            KeyFileError: when it is missing or malformed.
        """
        try:
            read = _KeyFile.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise KeyFileError(
                f"There is no key file {path}; make one with `loccit keys add NAME --key-file {path}`."
            ) from error
        except OSError as error:
            raise KeyFileError(
                f"The key file {path} cannot be read ({error.strerror}); let the user who serves read it."
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the file"
            raise KeyFileError(
                f"The key file {path} is not one of this version: {place}: {first['msg'].lower()}; mend it, or "
                "make another with `loccit keys add`."
            ) from error
        names = [key.name for key in read.keys]
        if len(set(names)) < len(names):
            raise KeyFileError(f"The key file {path} has two keys of one name; remove one of them.")
        return cls(tuple(read.keys))

    def owner_of(self, secret: str) -> ApiKey | None:
        """The key that this is; None when it is none of them. All are compared, each in constant time."""
        presented = _sha256(secret)
        found = None
        for key in self.keys:
            if hmac.compare_digest(key.sha256, presented):
                found = key
        return found


def add_key(
    path: Path,
    name: str,
    *,
    admin: bool = False,
    per_minute: int | None = None,
    allowed: Filter | None = None,
) -> str:
    """Make a key and keep what it is known by in the file, which is made where there is none. Returns the key.

    ``allowed``: for its holder there are only the documents that match it.

    Raises:
        InvalidRequestError: when the name is taken or unfit, or an admin's key is to be limited.
        KeyFileError: when the file is malformed.
    """
    if not re.fullmatch(_NAME, name):
        raise InvalidRequestError(
            f"The name {name!r} must be 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first."
        )
    if admin and allowed is not None:
        raise InvalidRequestError(
            "An admin's key cannot be limited by a filter, because admins change all documents; leave out one of them."
        )
    secret = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    key = ApiKey(
        name=name,
        sha256=_sha256(secret),
        created=created,
        admin=admin,
        per_minute=per_minute,
        filter=None if allowed is None else allowed.as_json(),
    )

    def with_it(keys: tuple[ApiKey, ...]) -> tuple[ApiKey, ...]:
        if any(other.name == name for other in keys):
            raise InvalidRequestError(
                f"There is a key of the name {name!r} already; remove it first, or take another name."
            )
        return (*keys, key)

    path.parent.mkdir(parents=True, exist_ok=True)
    _change(path, with_it, missing_ok=True)
    return secret


def remove_key(path: Path, name: str) -> None:
    """Take a key out of the file; whoever holds it is turned away from now on.

    Raises:
        InvalidRequestError: when there is none of this name.
        KeyFileError: when the file is missing or malformed.
    """

    def without_it(keys: tuple[ApiKey, ...]) -> tuple[ApiKey, ...]:
        left = tuple(key for key in keys if key.name != name)
        if len(left) == len(keys):
            names = ", ".join(key.name for key in keys) or "none"
            raise InvalidRequestError(f"There is no key of the name {name!r}; there are: {names}.")
        return left

    _change(path, without_it, missing_ok=False)


def parsed_rate(rate: str) -> int:
    """Requests a minute, of ``60/minute``.

    Raises:
        InvalidRequestError: when it is something else.
    """
    found = _RATE.fullmatch(rate)
    if found is None:
        raise InvalidRequestError(f"The rate {rate!r} must be a whole number a minute, such as 60/minute.")
    return int(found[1])


def _change(
    path: Path, change: Callable[[tuple[ApiKey, ...]], tuple[ApiKey, ...]], *, missing_ok: bool
) -> None:
    with _alone(path):
        keys = () if missing_ok and not path.exists() else KeyRing.load(path).keys
        content = _KeyFile(schema=1, keys=list(change(keys))).model_dump_json(by_alias=True, indent=1)
        with whole_file(path) as unfinished:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content + "\n")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else changes the file meanwhile."""
    with FileLock(path.with_name(f"{path.name}.lock")):
        yield


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()

"""The settings as a table, read off their class: what each is called, what it is unless set, what it does."""

from enum import StrEnum
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from app.service.setting_marks import Option, mark_of
from app.service.settings import Settings
from common.errors import LoccitError
from common.files import whole_file

BEGIN = "<!-- settings: `make settings-table` writes what stands between these marks -->"
END = "<!-- end of settings -->"


def settings_table(kind: type[BaseSettings] = Settings) -> str:
    """A Markdown table with a row for each setting, in their order."""
    prefix = str(kind.model_config["env_prefix"])
    rows = [
        f"| `{prefix}{name.upper()}` | {_option(name, field)} | {_default(field)} | {_description(field)} |"
        for name, field in kind.model_fields.items()
    ]
    return "\n".join(("| variable | option | value unless set | what it sets |", "|---|---|---|---|", *rows))


def write_settings_table(path: Path) -> None:
    """Put the table into a Markdown file, between its marks.

    Raises:
        LoccitError: when the marks are missing.
    """
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise LoccitError(f"{path} has no place for the table; put the lines {BEGIN!r} and {END!r} into it.")
    with whole_file(path) as unfinished:
        unfinished.write_text(f"{before}{BEGIN}\n\n{settings_table()}\n\n{END}{after}", encoding="utf-8")


def _option(name: str, field: FieldInfo) -> str:
    option = mark_of(field, Option)
    if option is None:
        return ""
    long = f"`--{name.replace('_', '-')}`"
    return long if option.short is None else f"{long}, `{option.short}`"


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return f"`{value.value if isinstance(value, StrEnum) else value}`"


def _description(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")

"""The table of settings: what the class says, in the documentation too."""

from pathlib import Path

import pytest

from app.service.settings import Settings
from app.service.settings_table import BEGIN, END, settings_table, write_settings_table
from common.errors import LoccitError

OPERATING = Path(__file__).parents[3] / "docs" / "operating.md"


def test_the_documentation_has_the_table_of_this_version():
    between = OPERATING.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()
    assert between == settings_table(), "run `make settings-table`"


def test_every_setting_is_a_row_with_its_variable_option_and_default():
    rows = settings_table().splitlines()
    assert len(rows) == 2 + len(Settings.model_fields)
    assert "| `LOCCIT_TOP_K` | `--top-k`, `-k` | `20` | Passages to retrieve. |" in rows
    assert "| `LOCCIT_METRICS` |  | true | Serve GET /metrics. |" in rows
    [origins] = [row for row in rows if "LOCCIT_ALLOWED_ORIGINS" in row]
    assert origins.split("|")[2:4] == ["  ", " - "]
    [form] = [row for row in rows if "LOCCIT_LOG_FORMAT" in row]
    assert form.split("|")[2:4] == [" `--log-format` ", " `text` "]


def test_the_table_takes_the_place_of_the_one_before(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        write_settings_table(page)
        assert page.read_text() == f"before\n{BEGIN}\n\n{settings_table()}\n\n{END}\nafter\n"


def test_a_page_without_marks_is_left_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\nno end")
    with pytest.raises(LoccitError, match="has no place for the table"):
        write_settings_table(page)
    assert page.read_text() == f"{BEGIN}\nno end"

"""The command run in this process, and a small index to run it on."""

import sys

import pytest

from app.cli import main


@pytest.fixture
def loccit(monkeypatch, capsys):
    """Runs the command in this process: (exit status, standard output, standard error)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["loccit", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        try:
            main()
        except SystemExit as stop:
            status = stop.code or 0
        else:
            status = 0
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "towers.md").write_text(
        "# Towers\n\nHenry Winstanley built the first Eddystone tower in 1698. A storm took it in 1703.",
        encoding="utf-8",
    )
    (folder / "trams.txt").write_text("A horse tram ran in Lisbon in 1873. 😀 Electric trams came in 1901.")
    return folder


@pytest.fixture
def notes_index(loccit, notes, tmp_path):
    status, _, said = loccit(
        "index", "build", notes, "--out", tmp_path / "index", "--encoder", "hashing", "--words", 20
    )
    assert status == 0, said
    return tmp_path / "index"

"""A small index on disk for the tools, and the command that offers them over it."""

import sys
from pathlib import Path

import pytest

from tests.server_process import ROOT, build

TEXTS = {
    "towers": "Henry Winstanley built the first Eddystone tower in 1698. A storm took it in 1703. 😀 It was rebuilt.",
    "../trams & co": "A horse tram ran in Lisbon in 1873.\r\nElectric trams came in 1901.",
}
QUESTION = "who built the first Eddystone tower"
QUOTE = "Henry Winstanley built the first Eddystone tower in 1698."
WITHOUT_WEIGHTS = ("--generator", "reader", "--reader", "lexical", "--min-confidence", "0.2")


@pytest.fixture(scope="session")
def tools_index(tmp_path_factory) -> Path:
    index = tmp_path_factory.mktemp("tools") / "index"
    build(index, TEXTS)
    return index


def command(*options: object) -> list[str]:
    """The command line of ``loccit mcp``, in this tree."""
    return [sys.executable, "-m", "app.cli", "mcp", *map(str, options)]


ENVIRONMENT = {"PYTHONPATH": str(ROOT), "LOCCIT_THREADS": "1"}

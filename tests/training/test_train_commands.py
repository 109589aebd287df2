"""`loccit train`: what is missing is named before anything is loaded."""

import pytest
from typer.testing import CliRunner

from retriever.errors import LoccitError
from training import cli


@pytest.mark.parametrize("command", ["adapter", "support"])
def test_without_peft_the_package_to_install_is_named(command, monkeypatch):
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    result = CliRunner().invoke(cli.cli, [command])
    assert isinstance(result.exception, LoccitError)
    assert str(result.exception) == "This training needs peft; install it with `pip install 'loccit[train]'`."

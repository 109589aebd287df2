"""The hook for pre-commit names the command as it is."""

from pathlib import Path

import yaml

HOOKS = Path(__file__).parent.parent / ".pre-commit-hooks.yaml"


def test_the_hook_runs_a_check_that_fails_on_a_made_up_quote(loccit, notes, tmp_path):
    (hook,) = yaml.safe_load(HOOKS.read_text())
    command, *arguments = hook["entry"].split()
    assert (hook["id"], command, hook["language"]) == ("loccit-check", "loccit", "python")
    (tmp_path / "answer.md").write_text('It says "bananas orbit the moon of Pluto".')
    status, _, _ = loccit(*arguments, "--documents", notes, tmp_path / "answer.md")
    assert status == 1

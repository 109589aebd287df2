import sys
from pathlib import Path

import pytest

from benchmarks.peers import __main__ as peers
from benchmarks.peers.local_server import LocalServer


@pytest.mark.enable_socket
def test_a_server_that_does_not_start_says_where_to_look(tmp_path):
    log = tmp_path / "server.log"
    with pytest.raises(RuntimeError, match=r"did not start; .*server\.log says why"):
        LocalServer(Path(sys.executable), tmp_path / "model.gguf", log)
    assert "No module named" in log.read_text()


def test_a_peer_that_asks_a_server_names_the_command_that_installs_one(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "SERVER", tmp_path / "python")
    monkeypatch.setattr(peers, "give", lambda index, folder: None)
    monkeypatch.setattr(sys, "argv", ["peers", "run", "paper-qa"])
    with pytest.raises(SystemExit, match=r"make build/llama/\.installed"):
        peers.main()

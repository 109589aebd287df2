"""An index for servers that run in a process of their own."""

import pytest

from tests.server_process import build


@pytest.fixture(scope="module")
def towers(tmp_path_factory):
    directory = tmp_path_factory.mktemp("towers") / "index"
    build(directory)
    return directory

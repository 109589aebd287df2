"""The client as it is published: its own wheel, typed, with httpx and nothing else."""

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path
from shutil import copytree

CLIENT = Path(__file__).parent.parent.parent / "clients" / "python"


def test_the_wheel_holds_the_typed_package_and_needs_httpx_alone(tmp_path):
    source = copytree(CLIENT, tmp_path / "source")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*command, "--wheel-dir", tmp_path, source], check=True, timeout=300)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [metadata] = [name for name in names if name.endswith("/METADATA")]
        told = Parser().parsestr(archive.read(metadata).decode())
    modules = {f"loccit_client/{path.name}" for path in (CLIENT / "src/loccit_client").glob("*.py")}
    assert {*modules, "loccit_client/py.typed"} == {
        name for name in names if not name.startswith("loccit_client-")
    }
    assert told["Name"] == "loccit-client"
    always = [needed for needed in told.get_all("Requires-Dist") if "extra ==" not in needed]
    assert always == ["httpx<1,>=0.27"]
    assert told.get_all("Provides-Extra") == ["haystack", "langchain", "llamaindex"]


def test_the_package_imports_no_framework():
    code = (
        "import sys, loccit_client; loaded = {name.split('.')[0] for name in sys.modules}; "
        "sys.exit(', '.join(loaded & {'haystack', 'langchain_core', 'llama_index'}) or 0)"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(CLIENT / "src")}, timeout=300
    )

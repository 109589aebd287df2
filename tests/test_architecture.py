"""The arrows between packages, held by reading the imports."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GROUND = {"common", "retriever"}
ALLOWED = {
    "common": set(),
    "retriever": {"common"},
    "extraction": GROUND,
    "index_builder": {*GROUND, "extraction"},
    "quote_check": GROUND,
    "app.answering": GROUND,
    "app.service": {*GROUND, "extraction", "index_builder", "app.answering", "quote_check"},
    "app.http": {*GROUND, "app.answering", "app.service", "quote_check"},
    "app.mcp": {*GROUND, "app.answering", "app.service", "app.http", "quote_check"},
    "app.checking": {*GROUND, "app.answering", "app.service", "quote_check", "index_builder"},
    "app": {*GROUND, "app.answering", "app.service", "app.http"},
    "evaluation.metrics": GROUND,
    "evaluation": {*GROUND, "app.answering", "evaluation.metrics"},
    "calibration": {*GROUND, "app.answering", "evaluation"},
    "training": {*GROUND, "index_builder", "app.answering", "evaluation.metrics", "calibration"},
    "benchmarks": {
        *GROUND,
        "index_builder",
        "quote_check",
        "app.answering",
        "app.service",
        "app.http",
        "app.checking",
        "evaluation",
        "training",
    },
}
"""What each may import beside itself; the longest name that fits a module is its owner."""
COMMANDS = {
    "evaluation/cli.py",
    "evaluation/predict_command.py",
    "calibration/cli.py",
    "calibration/calibrate_command.py",
    "training/cli.py",
    "training/command_options.py",
    "training/confidence_command.py",
    "training/retrofit_command.py",
}
"""These read settings and open the service, which the cores of their packages do not know.

Those beside the command lines are what their commands do, once the options are read.
"""
COMPOSITION_ROOT = "app/cli.py"
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}


def imports_of(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return modules


def reads_the_environment(path: Path) -> bool:
    """Whether a module names os.environ or os.getenv, or imports them."""
    return any(
        (isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT)
        or (isinstance(node, ast.alias) and node.name in ENVIRONMENT)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def imports_between_rooms(package: str) -> dict[str, set[str]]:
    """The files and folders directly in a package, each with those of the others that it imports."""
    between: dict[str, set[str]] = {}
    for path in sorted((ROOT / package.replace(".", "/")).rglob("*.py")):
        room = path.relative_to(ROOT / package.replace(".", "/")).parts[0].removesuffix(".py")
        imported = {name.split(".")[2] for name in imports_of(path) if name.startswith(f"{package}.")}
        between.setdefault(room, set()).update(imported - {room})
    return between


def owner(module: str) -> str | None:
    """The most specific of the owners that this module is of, None for one that is not ours."""
    owners = [name for name in (*ALLOWED, "tests") if f"{module}.".startswith(f"{name}.")]
    return max(owners, key=len, default=None)


def files() -> list[Path]:
    packages = sorted({name.split(".")[0] for name in ALLOWED})
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_follow_the_arrows(path):
    name = path.relative_to(ROOT).as_posix()
    if name == COMPOSITION_ROOT:
        return
    package = owner(name.removesuffix(".py").replace("/", "."))
    allowed = {package, *ALLOWED[package], *({"app.service"} if name in COMMANDS else ())}
    owners = {owner(module) for module in imports_of(path) if module != "app"} - {None}
    assert owners <= allowed, f"{name} imports {owners - allowed}"


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_imports_the_composition_root(path):
    assert "app.cli" not in imports_of(path)


@pytest.mark.parametrize("module", ["fastapi", "starlette", "pydantic_settings"])
def test_answering_knows_no_http_and_no_settings(module):
    for path in sorted((ROOT / "app" / "answering").rglob("*.py")):
        found = {name.split(".")[0] for name in imports_of(path)}
        assert module not in found, path


def test_the_stages_of_answering_and_their_rooms_import_one_way():
    rooms = list(TopologicalSorter(imports_between_rooms("app.answering")).static_order())
    assert rooms.index("types") < rooms.index("generators") < rooms.index("pipeline")


def test_answering_reads_no_environment():
    for path in sorted((ROOT / "app" / "answering").rglob("*.py")):
        assert not reads_the_environment(path), path


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import os\nos.environ['A']", True),
        ("import os\nos.getenv('A')", True),
        ("from os import getenv as get", True),
        ("import os\nos.fsync(3)  # the environment stays unread", False),
    ],
)
def test_every_way_of_reading_the_environment_is_seen(tmp_path, line, found):
    (tmp_path / "module.py").write_text(line)
    assert reads_the_environment(tmp_path / "module.py") is found


@pytest.mark.parametrize(
    ("line", "imported"),
    [
        ("import app.cli", {"app.cli"}),
        ("from app import cli as c, terminal", {"app", "app.cli", "app.terminal"}),
        ("from app.cli import main", {"app.cli", "app.cli.main"}),
    ],
)
def test_every_way_of_importing_a_module_is_seen(tmp_path, line, imported):
    (tmp_path / "module.py").write_text(line)
    assert imports_of(tmp_path / "module.py") == imported


def test_the_client_stands_alone_and_nothing_of_the_service_knows_it():
    modules = sorted((ROOT / "clients/python/src/loccit_client").glob("*.py"))
    assert modules
    for path in modules:
        assert {owner(module) for module in imports_of(path)} == {None}, path
    for path in files():
        assert not any(module.startswith("loccit_client") for module in imports_of(path)), path


def test_nothing_reads_pickles_or_runs_code_that_a_model_brings():
    for path in files():
        text = path.read_text(encoding="utf-8")
        assert not {"pickle", "joblib", "dill"} & imports_of(path), path
        assert "trust_remote_code=True" not in text, path


def test_the_packages_have_empty_beginnings():
    beginnings = {path for path in files() if path.name == "__init__.py"}
    assert {path for path in beginnings if path.read_text()} == {ROOT / "index_builder/corpora/__init__.py"}
    assert {path.parent for path in beginnings} == {path.parent for path in files()}

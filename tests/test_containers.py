"""Dockerfile and docker-compose.yml say what an operator relies on; no container engine takes part."""

import re
from fnmatch import fnmatch
from pathlib import Path

import compose_spec
import pytest
import yaml

from app.http.telemetry.metrics import HostState, Metrics

ROOT = Path(__file__).parent.parent
PORT = "8000"


def instructions(path: Path) -> list[tuple[str, str]]:
    """(name, rest) of every instruction, comments left out and continued lines joined."""
    text = re.sub(r"(?m)^\s*#.*\n", "", path.read_text(encoding="utf-8"))
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    parts = [line.partition(" ") for line in lines if line.strip()]
    return [(name, rest.strip()) for name, _, rest in parts]


def with_defaults(text: str) -> str:
    """Compose's ``${NAME:-default}`` with every variable unset."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    return instructions(ROOT / "Dockerfile")


@pytest.fixture(scope="module")
def image(dockerfile) -> list[tuple[str, str]]:
    """The last stage alone: what the image runs as."""
    start = max(place for place, (name, _) in enumerate(dockerfile) if name == "FROM")
    return dockerfile[start:]


@pytest.fixture(scope="module")
def compose() -> dict:
    """The file as Compose reads it: variables replaced, aliases merged."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return yaml.safe_load(with_defaults(text))


def of(found: list[tuple[str, str]], name: str) -> list[str]:
    return [rest for instruction, rest in found if instruction == name]


def test_the_image_does_not_run_as_root(image):
    *_, user = of(image, "USER")
    uid, gid = map(int, user.split(":"))
    assert uid > 0
    assert gid > 0
    after = [name for name, _ in image[image.index(("USER", user)) :]]
    assert "RUN" not in after


def test_the_port_that_is_served_is_exposed_asked_for_its_health_and_published(image, compose):
    (command,) = of(image, "CMD")
    (health,) = of(image, "HEALTHCHECK")
    assert of(image, "ENTRYPOINT") == ['["loccit"]']
    assert f'"--port", "{PORT}"' in command
    assert of(image, "EXPOSE") == [PORT]
    assert f"http://127.0.0.1:{PORT}/health/ready" in health
    for name in ("serve", "documents"):
        (published,) = compose["services"][name]["ports"]
        assert published.startswith("127.0.0.1:")
        assert published.endswith(f":{PORT}")


def test_nothing_is_added_from_elsewhere(dockerfile):
    assert of(dockerfile, "ADD") == []
    assert all("://" not in source for source in of(dockerfile, "COPY"))


def test_what_is_copied_is_there_and_not_ignored(dockerfile):
    allowed = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = [rest.split()[:-1] for rest in of(dockerfile, "COPY") if not rest.startswith("--from")]
    for source in (name for names in copied for name in names):
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in allowed, source


def test_every_package_of_the_distribution_is_copied(dockerfile):
    copied = {rest.split("/")[0] for rest in of(dockerfile, "COPY")}
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (patterns,) = re.findall(r"(?m)^include = \[(.*)\]$", text)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    shipped = {name for name in packages if any(fnmatch(name, p) for p in re.findall(r'"(.*?)"', patterns))}
    assert {"app", "common", "retriever"} <= shipped
    assert shipped <= copied


def test_packages_come_pinned_and_torch_from_its_cpu_index(dockerfile):
    assert "TORCH_INDEX=https://download.pytorch.org/whl/cpu" in of(dockerfile, "ARG")
    installs = [line for line in of(dockerfile, "RUN") if "pip install" in line]
    assert all("-c constraints.txt" in line or line == "pip install --no-deps ." for line in installs)
    assert any('--index-url "${TORCH_INDEX}" torch' in line for line in installs)


def test_neither_model_terms_nor_corpus_are_in_the_image(dockerfile):
    assert not any(re.search(r"ovos|gemma3|smollm2", line) for line in of(dockerfile, "RUN"))


def test_the_compose_file_is_one_by_the_specification(compose):
    """Keys and values are checked by a parser of the Compose specification, references below."""
    read = compose_spec.PyCompose.from_yaml(yaml.safe_dump(compose))
    read.validate()
    assert set(read.service_names()) == {
        "models",
        "index",
        "serve",
        "documents-index",
        "documents",
        "keys",
        "prometheus",
    }


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("read_only: true\n  tmpfs", "read_onli: true\n  tmpfs"),
        ('restart: "no"', "restart: never"),
        ("service_completed_successfully", "service_done"),
    ],
)
def test_a_mistake_in_the_compose_file_is_seen(was, becomes):
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert was in text
    wrong = yaml.safe_dump(yaml.safe_load(with_defaults(text.replace(was, becomes, 1))))
    with pytest.raises(ValueError, match=r"\w"):
        compose_spec.PyCompose.from_yaml(wrong).validate()


def test_every_volume_that_is_mounted_is_defined_and_the_other_way_round(compose):
    mounted = {
        mount.split(":")[0]
        for service in compose["services"].values()
        for mount in service["volumes"]
        if isinstance(mount, str)
    }
    assert mounted == set(compose["volumes"])


def test_every_service_that_is_waited_for_is_defined_and_ends(compose):
    services = compose["services"]
    waits = {
        (name, other): how["condition"]
        for name, service in services.items()
        for other, how in service.get("depends_on", {}).items()
    }
    assert set(waits.values()) == {"service_completed_successfully"}
    for name, other in waits:
        assert services[other]["restart"] == "no", (name, other)
        # whoever starts the first starts the second
        assert set(services[other].get("profiles", ())) <= set(services[name].get("profiles", ()))


def test_every_service_is_confined(compose):
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["tmpfs"][0].startswith("/tmp:"), name
        assert "privileged" not in service, name


def test_only_the_builder_writes_an_index_and_only_the_first_service_the_models(compose):
    writers = {
        mount.split(":")[0]: name
        for name, service in compose["services"].items()
        for mount in service["volumes"]
        if isinstance(mount, str) and not mount.endswith(":ro")
    }
    assert writers == {
        "models": "models",
        "index": "index",
        "documents-index": "documents-index",
        "keys": "keys",
        "prometheus": "prometheus",
    }


def test_indexes_are_built_and_keys_made_without_a_network(compose):
    assert {name for name, one in compose["services"].items() if one.get("network_mode") == "none"} == {
        "index",
        "documents-index",
        "keys",
    }


def test_volumes_are_mounted_where_the_image_has_a_folder_of_its_user(compose, image):
    (line,) = [line for line in of(image, "RUN") if "install -d -o loccit" in line]
    for service in compose["services"].values():
        for mount in service["volumes"]:
            if isinstance(mount, str) and service["image"].startswith("loccit:"):
                assert mount.split(":")[1] in line.split()


def test_an_owners_documents_are_only_read_and_never_made_up(compose):
    (bind,) = [one for one in compose["services"]["documents-index"]["volumes"] if isinstance(one, dict)]
    assert bind["read_only"] is True
    assert bind["bind"]["create_host_path"] is False
    assert bind["target"] == compose["services"]["documents-index"]["command"][2]


def test_prometheus_is_pinned_and_asks_a_server_that_is_there_for_its_metrics(compose):
    prometheus = compose["services"]["prometheus"]
    assert re.fullmatch(r"prom/prometheus:v\d+\.\d+\.\d+", prometheus["image"])
    assert prometheus["profiles"] == ["monitoring"]
    (published,) = prometheus["ports"]
    assert published.startswith("127.0.0.1:")
    (bind,) = [one for one in prometheus["volumes"] if isinstance(one, dict)]
    folder = ROOT / bind["source"]
    read = yaml.safe_load((folder / "prometheus.yml").read_text())
    (job,) = read["scrape_configs"]
    (targets,) = [one["targets"] for one in job["static_configs"]]
    host, _, port = targets[0].partition(":")
    assert (host in compose["services"], port) == (True, PORT)
    assert host in compose["services"]["serve"]["environment"]["LOCCIT_ALLOWED_HOSTS"].split(",")
    assert all((folder / name).is_file() for name in read["rule_files"])


def test_alerts_are_about_metrics_that_there_are():
    (group,) = yaml.safe_load((ROOT / "monitoring" / "alerts.yml").read_text())["groups"]
    metrics = Metrics()
    metrics.watch(lambda: HostState(ready=True, waiting=0, busy=False, generation="g"))
    there = {sample.name for family in metrics.registry.collect() for sample in family.samples}
    named = set(re.findall(r"loccit_\w+", " ".join(rule["expr"] for rule in group["rules"])))
    assert len(named) >= 4
    assert named <= there

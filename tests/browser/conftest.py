"""A browser before the page of a service that needs no weights."""

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from app.http.server import create_app
from app.service.api_keys import add_key
from app.service.assembly import AnswerService
from app.service.settings import GeneratorKind, Settings
from retriever.types import Document
from tests.app.http.conftest import service_over

LOOPBACK = pytest.mark.allow_hosts(["127.0.0.1", "localhost", "::1"])
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SECONDS = 20
AXE = "axe-playwright-python"  # for the axe-core 4.12 that it carries: its code is not imported

FILLING = "".join(f"Line {number} of the log says that nothing was seen at sea.\n" for number in range(200))
KEEPER = "The keeper Grace Darling rowed out to the wreck of the Forfarshire in 1838."
HOSTILE_TITLE = "<img src=x onerror=\"document.title='owned'\">\u202eelttil"
HOSTILE_TEXT = (
    f"<script>document.title='owned'</script> {'x' * 10_000} \u202e The dragon Smaug was slain by "
    "<b onmouseover=alert(1)>Bard</b> of Esgaroth. After it nothing is reversed."
)

LIGHTHOUSE = Document(
    "lighthouses/longstone & co",
    "Longstone Lighthouse",
    f"👩‍👩‍👧 🗼 Emoji before the quote. {FILLING}{KEEPER} 😀 She was famous ever after.\n{FILLING}",
    "https://example.org/longstone",
)
TOWER = Document("tower", "Eiffel Tower", "The Eiffel Tower was designed by engineers of Gustave Eiffel. 🗼")
HOSTILE = Document("hostile", HOSTILE_TITLE, HOSTILE_TEXT, "javascript:document.title='owned'")

ASKED = "who rowed out to the wreck of the Forfarshire"
UNANSWERABLE = "zzz qqq"
TAB = "\ue004"
ENTER = "\ue007"
ESCAPE = "\ue00c"

Driver = Any


def _programs() -> tuple[str, str] | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    driver = shutil.which("chromedriver")
    return None if browser is None or driver is None else (browser, driver)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(LOOPBACK)


def _service() -> AnswerService:
    service = service_over((LIGHTHOUSE, TOWER, HOSTILE))
    options = replace(service.pipeline.options, min_confidence=0.3)
    return replace(service, pipeline=replace(service.pipeline, options=options))


@contextmanager
def _serving(**given: object) -> Iterator[str]:
    """The address of a ready service over three documents."""
    listening = socket.create_server(("127.0.0.1", 0))
    settings = Settings.of(generator=GeneratorKind.READER, **given)
    ready = threading.Event()
    app = create_app(
        settings,
        open_service=lambda _: _service(),
        on_ready=ready.set,
        on_failure=print,
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    assert ready.wait(SECONDS)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join(SECONDS)


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The address of a service that anybody may ask."""
    with _serving() as address:
        yield address


@pytest.fixture
def guarded(_driver: Driver, tmp_path: Path) -> Iterator[tuple["Page", str]]:
    """The page of a service that wants a key, in a tab that knows none, and the key."""
    key = add_key(tmp_path / "keys.json", "reader")
    with _serving(key_file=tmp_path / "keys.json") as address:
        page = Page(_driver, address).open()
        page.resize(1100)
        page.complaints()
        yield page, key


@pytest.fixture(scope="session")
def open_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Driver]]:
    """Starts a browser with nothing in it; all end with the session."""
    programs = _programs()
    if programs is None:
        pytest.skip(
            "No chromium with chromedriver is installed; `make test-browser` installs it or says how."
        )
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed.")
    started: list[Driver] = []

    def start() -> Driver:
        options = webdriver.ChromeOptions()
        options.binary_location = programs[0]
        for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(programs[1]))
        driver.set_script_timeout(SECONDS)
        started.append(driver)
        return driver

    yield start
    for driver in started:
        driver.quit()


@pytest.fixture(scope="session")
def _driver(open_browser: Callable[[], Driver]) -> Driver:
    return open_browser()


class Page:
    """The page as a reader handles it."""

    def __init__(self, driver: Driver, url: str) -> None:
        self.driver, self.url = driver, url

    def open(self, query: str = "") -> "Page":
        self.driver.get(self.url + query)
        return self

    def resize(self, width: int, height: int = 800, *, dark: bool = False) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def ask(self, question: str) -> None:
        box = self.one("#question")
        box.clear()
        box.send_keys(question, "\n")
        self.settled()

    def settled(self) -> None:
        """Waits until what was asked is answered."""
        self.until(
            "return document.querySelector('.answer, .problem') && document.querySelector('#ask').textContent === 'Ask'"
        )

    def one(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def text(self, selector: str) -> str:
        """The characters in the page, not those that are painted."""
        return self.js("return document.querySelector(arguments[0]).textContent", selector)

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def module(self, name: str, expression: str, *arguments: Any) -> Any:
        """What an expression over the module ``m`` and ``args`` gives."""
        script = (
            "const args = [...arguments], done = args.pop();"
            f"import('/web/{name}').then((m) => done({expression}), (error) => done(String(error)))"
        )
        return self.driver.execute_async_script(script, *arguments)

    def until(self, script: str) -> Any:
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, SECONDS, 0.05).until(lambda driver: driver.execute_script(script))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def focused(self) -> str:
        return self.js("const e = document.activeElement; return e.id || e.className || e.tagName")

    def complaints(self) -> list[str]:
        """What the console says: breaches of the content policy among it."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def audit(self) -> list[str]:
        """What axe-core finds serious or worse."""
        try:
            script = distribution(AXE).locate_file("axe_playwright_python/axe.min.js")
        except PackageNotFoundError:
            pytest.skip(f"{AXE} is not installed; `make test-browser` installs it.")
        self.js(Path(str(script)).read_text(encoding="utf-8"))
        found = self.driver.execute_async_script("const done = arguments[0]; axe.run().then(done)")
        return [
            f"{one['id']}: {json.dumps([(node['html'], node['failureSummary']) for node in one['nodes']])}"
            for one in found["violations"]
            if one["impact"] in {"serious", "critical"}
        ]


@pytest.fixture
def page(_driver: Driver, url: str) -> Page:
    """The page, wide and light, in a browser that remembers nothing of earlier tests."""
    page = Page(_driver, url)
    page.resize(1100)
    page.open()
    page.js("localStorage.clear()")
    page.complaints()
    return page.open()

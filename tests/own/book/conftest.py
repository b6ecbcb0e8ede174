"""Fixtures: the built book, a server and a browser."""

import functools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from course.registry import ROOT
from tests.own.packages import needed

LAB_SCRIPTS = "decoding statistics random beams unpack model tokenizer patterns"
LAB_SCRIPTS += " dom token data/recording data/weights data/stages data/sentence"
LAB_SCRIPTS += " grid-layout inside-walk inside-trace inside-cells inside-sums"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that need a browser, before pytest selects tests by marks."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The published book: its ``folder``, and the messages that the build ``said``."""
    folder = tmp_path_factory.mktemp("book")
    done = subprocess.run(
        [sys.executable, "-m", "book", "build", "--to", str(folder)],
        cwd=ROOT,
        env=dict(os.environ),  # without the variables that MAX's C++ has added
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(folder=folder, said=done.stderr)


@pytest.fixture(scope="session")
def pages(built: SimpleNamespace) -> dict[str, Path]:
    """Every page's file by name; ``index`` repeats the first page."""
    return {path.stem: path for path in sorted(built.folder.glob("*.html"))}


@pytest.fixture(scope="session")
def site(built: SimpleNamespace) -> Iterator[str]:
    """Serves the built book on this machine; yields the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), quiet_handler(built.folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def quiet_handler(folder: Path) -> Any:
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

    return functools.partial(Handler, directory=str(folder))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser. Without one, the tests are skipped, except in CI."""
    playwright = needed("playwright.sync_api")
    with playwright.sync_playwright() as started:
        own = Path(started.chromium.executable_path)  # of a downloaded browser
        program = next(filter(None, map(shutil.which, BROWSERS)), own)
        if not Path(program).exists():
            assert "CI" not in os.environ, "CI must install Chromium"
            pytest.skip("no Chromium here; to download it: playwright install chromium")
        options = {"executable_path": program, "args": ["--no-sandbox"]}
        browser = started.chromium.launch(**options)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any, site: str) -> Iterator[Any]:
    """Opens a page of the book: ``visit("step_08", width=390, scheme="dark")``.

    At the end of the test, the page must have no errors and no requests elsewhere.
    """
    contexts: list[Any] = []
    complaints: list[str] = []

    def open_page(name: str, *, width: int = 1280, scheme: str = "light") -> Any:
        size = {"width": width, "height": 900}
        context = chromium.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: note_error(m, complaints))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda r: note_foreign(r.url, site, complaints))
        page.goto(f"{site}/{name}.html")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def note_error(message: Any, complaints: list[str]) -> None:
    """Notes an error that the page has logged."""
    if message.type == "error":
        complaints.append(message.text)


def note_foreign(url: str, site: str, complaints: list[str]) -> None:
    """Records a request to another server."""
    if not url.startswith((f"{site}/", "data:", "blob:")):
        complaints.append(f"asked for {url}")


@pytest.fixture(scope="session")
def axe() -> Any:
    """Finds what keeps people from reading or using a page."""
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


@pytest.fixture
def lab(visit: Any) -> Any:
    """The decoding lab's page with the model loaded."""
    page = visit("lab")
    page.evaluate("lab.page.loading")
    return page


@pytest.fixture(scope="module")
def js(chromium: Any, built: SimpleNamespace) -> Any:
    """Evaluates expressions in a page with the lab's functions and data."""
    page = chromium.new_page()
    for name in LAB_SCRIPTS.split():
        page.add_script_tag(path=built.folder / "lab" / f"{name}.js")
    yield page.evaluate
    page.close()

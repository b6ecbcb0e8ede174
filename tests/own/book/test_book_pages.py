"""The built book: all pages exist, and every link has a target."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest

from book import preprocess
from book.drawing import labelled
from book.pages import SRC
from book.summary import AFTERWARDS, PLAYGROUND, REFERENCE, START, summary
from course.registry import ROOT, load_registry

NAMES = [*START, *(e.file for e in load_registry())]
NAMES += [*PLAYGROUND, *AFTERWARDS, *REFERENCE]
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "use": "href"}
MEGABYTE = 1_000_000


class Elements(HTMLParser):
    """The elements and the words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.ignored = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.ignored += tag in ("script", "style", "code", "svg")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.ignored -= tag in ("script", "style", "code", "svg")

    def handle_data(self, data: str) -> None:
        if not self.ignored:
            self.words.append(data)

    def values(self, *names: str) -> list[str]:
        """The values of these attributes, on whatever element."""
        return [value for _, a in self.found for n in names if (value := a.get(n))]


@cache
def elements(path: Path) -> Elements:
    return Elements(path.read_text())


def test_contents_are_current() -> None:
    assert (SRC / "SUMMARY.md").read_text() == summary(), "python -m book build"


def test_every_page_is_written_and_in_the_contents(pages: dict[str, Path]) -> None:
    assert {path.stem for path in SRC.glob("*.md")} == {"SUMMARY", *NAMES}
    assert set(pages) == {"index", "404", *NAMES}


def test_contents_follow_the_course(pages: dict[str, Path]) -> None:
    html = pages["index"].read_text()
    contents = re.search(r'<nav id="contents".*?</nav>', html, re.DOTALL)
    assert contents
    assert re.findall(r'href="(\w+)\.html"', contents[0]) == NAMES


def test_build_has_no_warnings(built: SimpleNamespace) -> None:
    assert built.said == ""


@pytest.mark.parametrize("exercise", load_registry(), ids=lambda e: e.key)
def test_chapter_begins_with_its_card(exercise, pages: dict[str, Path]) -> None:
    text = pages[exercise.file].read_text()
    assert text.count("<h1 ") == 1
    assert f">{exercise.title}</a></h1>" in text
    assert text.index('class="place"') < text.index("<h1 ") < text.index('class="card"')
    assert f"about {exercise.minutes} minutes" in text
    assert f"<code>pixi run {exercise.key}</code>" in text
    assert 'href="#your-task"' in text
    assert 'href="#skeleton"' in text


@pytest.mark.parametrize("name", NAMES)
def test_no_list_begins_within_a_sentence(name: str, pages: dict[str, Path]) -> None:
    """A line of a paragraph that begins with "1. " would become a list."""
    before = re.findall(r"(.{0,60})</p>\s*<[ou]l>", pages[name].read_text())
    assert [text for text in before if re.search(r"[\w,]$", text)] == []


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str, pages: dict[str, Path]) -> None:
    links = elements(pages[name]).values("href")
    assert [link for link in links if leads_astray(link, pages[name])] == []


def leads_astray(link: str, page: Path) -> bool:
    """True if a link within the book has no target."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return False
    target = page.parent / unquote(parts.path) if parts.path else page
    if not target.is_file():
        return True
    places = ["", *elements(target).values("id")]
    return unquote(parts.fragment) not in places


@pytest.mark.parametrize("name", NAMES)
def test_page_needs_no_network(name: str, pages: dict[str, Path]) -> None:
    for tag, attributes in elements(pages[name]).found:
        address = attributes.get(LOADED.get(tag, "")) or ""
        assert not urlsplit(address).netloc, address


@pytest.mark.parametrize("name", NAMES)
def test_page_is_sound(name: str, pages: dict[str, Path]) -> None:
    page = elements(pages[name])
    ids = Counter(page.values("id"))
    assert [name for name, count in ids.items() if count > 1] == []
    assert sum(tag == "h1" for tag, _ in page.found) == 1
    for tag, attributes in page.found:
        if tag == "img":
            assert attributes.get("alt") is not None, attributes
    leftovers = re.findall(r"\{\{|\}\}|\$\$|```", "".join(page.words))
    assert leftovers == []


@pytest.mark.parametrize("exercise", load_registry(), ids=lambda e: e.key)
def test_chapter_has_what_a_chapter_needs(exercise, pages: dict[str, Path]) -> None:
    kinds = [a.get("class") for _, a in elements(pages[exercise.file]).found]
    assert kinds.count("drawing") >= 1
    assert kinds.count("mistake") == 3
    assert kinds.count("question") == 3
    assert kinds.count("terminal") >= 2
    assert kinds.count("solution") == 1
    assert "<math" in pages[exercise.file].read_text()


@pytest.mark.parametrize("exercise", load_registry(), ids=lambda e: e.key)
def test_task_comes_before_the_reasons(exercise, pages: dict[str, Path]) -> None:
    places = elements(pages[exercise.file]).values("id")
    order = ["your-task", "skeleton", "when-the-check-speaks", "why-this-choice"]
    assert [place for place in places if place in order] == order


def test_book_is_small(built: SimpleNamespace, pages: dict[str, Path]) -> None:
    files = [path for path in built.folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 7 * MEGABYTE


def test_drawing_keeps_its_own_style() -> None:
    text = "font: 12px x"
    svg = f'<svg width="600" height="9" style="fill: red"><g style="{text}"/></svg>'
    text = labelled(svg, "a < b")
    assert text.startswith('<svg role="img" aria-label="a &lt; b" width="600"')
    assert 'max-width: 600px; min-width: 550px; fill: red"><g style="font: 12' in text


def test_styles_of_a_drawing_are_written_once() -> None:
    parts = [f'<g style="fill: red" x="{x}" />' for x in range(3)]
    svg = f'<svg width="9" style="a: b">{"".join(parts)}<g style="b: c" /></svg>'
    text = labelled(svg, "")
    found = re.search(r"<style>\.(\w+)\{fill: red\}</style>", text)
    assert found
    assert text.count("fill: red") == 1
    assert text.count(f'<g class="{found[1]}"') == 3
    assert '<g style="b: c"/>' in text


def test_steps_that_pass_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preprocess, "passed", lambda: {"s02"})
    pages = [chapter("Causal mask", "step_02.md"), chapter("Attention", "step_08.md")]
    preprocess.preprocess({"items": [{"Chapter": page} for page in pages]})
    assert [page["name"] for page in pages] == ["Causal mask ✓", "Attention"]


def chapter(name: str, path: str) -> dict[str, object]:
    """A chapter in mdBook's JSON format."""
    return {"name": name, "path": path, "content": "", "sub_items": []}


def test_search_looks_through_every_page(built: SimpleNamespace) -> None:
    text = (built.folder / "search-index.js").read_text()
    index = json.loads(text.removeprefix("window.searchIndex="))
    assert set(index) == {f"{name}.html" for name in NAMES}
    assert index["step_08.html"][0][:2] == ["attention", "Attention"]
    assert all(name and title for s in index.values() for name, title, _ in s)


def test_served_book_is_for_this_machine_and_current() -> None:
    command = [sys.executable, "-m", "book", "serve", "--port", "0", "--no-open"]
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env=dict(os.environ),  # without the variables that MAX's C++ has added
        stdout=subprocess.PIPE,
        text=True,
        # A suite in the background ignores Ctrl-C, and child processes inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert server.stdout
        address = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
        assert address
        with urllib.request.urlopen(f"{address[0]}/step_08.html") as response:
            assert b"Attention" in response.read()
            assert response.headers["Cache-Control"] == "no-store"
    finally:
        server.send_signal(signal.SIGINT)
    assert server.wait(timeout=10) == 0


def test_published_pages_show_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(preprocess.SHOWS_PROGRESS, raising=False)
    assert preprocess.passed() == set()

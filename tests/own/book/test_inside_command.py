"""The page of ``gpt2 inside`` shows in a browser where a learner's numbers differ."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from course.registry import load_registry
from gpt2.commands.inside import page as page_of
from gpt2.learner.inside import Request
from gpt2.learner.inside_process import Source

TEXT = 'Tom said, "</script> & <b>"'
RIGHT = "[batch, length, self.n_head, head_size]).transpose(1, 2)"
WRONG = "[batch, self.n_head, length, head_size])"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page in which step 09 splits the heads by a reshape alone."""
    folder = tmp_path_factory.mktemp("inside")
    for exercise in load_registry():
        if exercise.is_step:
            text = exercise.solved.replace(RIGHT, WRONG)
            (folder / exercise.step_path.name).write_text(text)
    html = folder / "page.html"
    request = Request("tiny-stories", TEXT, mine=True, steps_dir=str(folder))
    with closing(Source(request, print)) as source:
        html.write_text(page_of(TEXT, source))
    return html


@pytest.fixture
def show(chromium: Any, saved: Path) -> Iterator[Callable[..., Any]]:
    """Opens the page; at the end there must be no errors and no requests."""
    contexts: list[Any] = []
    noted: list[str] = []

    def open_page(width: int = 1280) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: noted.append(str(error)))
        page.on("console", lambda message: noted.append(message.text))
        page.on("request", lambda request: noted.append(request.url))
        page.goto(saved.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    own = (saved.as_uri(), "data:")
    assert [each for each in noted if not each.startswith(own)] == []


def test_it_opens_at_the_first_difference(show: Callable[..., Any]) -> None:
    page = show()
    assert page.get_by_role("heading", level=1).inner_text() == TEXT
    assert page.locator(".inside h2").inner_text() == "Turn scores into shares"
    assert "The first difference is in step 09" in page.inner_text(".inside-given")
    assert "Not visible from outside" in page.inner_text(".inside-note >> nth=0")
    marked = page.locator(".inside-map button:has(.inside-differs)")
    assert marked.all_inner_texts() == ["Turn scores into shares differs"]


def test_marks_are_those_of_the_block(show: Callable[..., Any]) -> None:
    page = show()
    first = page.locator(".inside-map button", has_text="Add token and position")
    assert first.locator(".inside-mark").count() == 0
    page.get_by_role("group", name="Block").get_by_text("1", exact=True).click()
    assert first.locator(".inside-mark").inner_text() == "follows"


def test_no_sum_is_written_that_does_not_hold(show: Callable[..., Any]) -> None:
    page = show()
    assert page.inner_text(".inside-sum").startswith("yours ")
    page.get_by_text("reference", exact=True).click()
    assert " = " in page.inner_text(".inside-sum")


def test_it_fits_a_phone(show: Callable[..., Any]) -> None:
    page = show(390)
    assert page.evaluate("document.documentElement.scrollWidth") == 390

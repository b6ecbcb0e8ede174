"""The lab in a browser: without its model, from a disk, on a phone, for everyone."""

from typing import Any

import numpy as np
import pytest

from book import play
from tests.oracle import model as oracle
from tests.own.book.lab_page import (
    FIRST,
    OFF,
    bars,
    choose,
    filtered,
    ids,
    opened,
    scene,
    slide,
)
from tests.own.book.test_book_browser import serious
from tests.own.packages import needed


@pytest.fixture
def without_model(chromium: Any, site: str) -> Any:
    """The lab's page without the weights."""
    context = chromium.new_context()
    context.route("**/weights.js", lambda route: route.abort())
    page = context.new_page()
    page.goto(f"{site}/lab.html")
    yield opened(page)
    context.close()


def test_recorded_steps_are_exact_without_the_model(without_model: Any) -> None:
    page = without_model
    slide(page, {"topK": 5})
    text = ids(page)
    scores = play.logits(text)[-1]
    best = np.argsort(-scores, kind="stable")[:12]
    before = oracle.softmax(scores)[best]
    after = filtered(scores, text, OFF | {"topK": 5}, FIRST)[best]
    assert bars(page, "--before") == pytest.approx(before.tolist(), rel=1e-5)
    assert bars(page, "--after") == pytest.approx(after.tolist(), rel=1e-5)
    source = page.locator("#lab-source")
    assert "all that is shown is exact" in source.inner_text()
    slide(page, {"topK": 0})
    assert "some numbers are estimates" in source.inner_text()


def test_unrecorded_choices_say_so(without_model: Any) -> None:
    page = without_model
    choose(page, 0)
    assert page.locator("#lab-next").is_visible()
    note = page.locator("#lab-pattern-note").inner_text()
    assert "no text can be written here" in note
    choose(page, 1)
    assert "not recorded" in page.locator("#lab-source").inner_text()
    assert page.locator("#lab-next").is_hidden()
    page.get_by_role("button", name="Undo").click()
    assert page.locator("#lab-next").is_visible()


def test_page_works_from_a_disk(chromium: Any, built: Any) -> None:
    page = chromium.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((built.folder / "lab.html").as_uri())
    opened(page)
    assert "computed in this page" in page.locator("#lab-source").inner_text()
    page.close()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_open_lab_fits_a_phone_and_is_accessible(visit: Any, scheme: str) -> None:
    axe = needed("axe_playwright_python.sync_playwright").Axe()
    page = opened(visit("lab", width=390, scheme=scheme))
    scene(page, 1)
    slide(page, {"topK": 6})
    page.get_by_role("button", name="Draw 1,000 times").click()
    page.get_by_role("button", name="Search from here").click()
    page.get_by_text("The tree as a list").click()
    page.get_by_role("button", name="Show 40 tokens").click()
    page.get_by_role("radio", name='{"name"').check()
    page.get_by_role("button", name="Draw 1 token that fits").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(axe.run(page)) == []

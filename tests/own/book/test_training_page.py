"""The training page in a browser: it shows the recorded moments."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from book.lab.packing import unpack_array
from book.lab.training import read_recording
from tests.own.book.conftest import note_error

SHOWN = """() => ({
  numbers: [...document.querySelectorAll("#training-numbers dd")]
    .map((e) => e.innerText),
  dot: Number(document.querySelector(".training-dot").getAttribute("cx")),
  story: document.querySelector("#training-story").textContent,
  cells: lab.page.tokens.flatMap((_, i, all) => all.slice(0, i + 1)
    .map((_, j) => lab.page.grid.sheet.value(i, j))),
  neighbours: [...document.querySelectorAll("#training-neighbours tbody th")]
    .map((e) => e.innerText),
})"""


@pytest.fixture(scope="module")
def recording() -> dict[str, Any]:
    return read_recording()


@pytest.fixture
def page(visit: Callable[..., Any]) -> Any:
    return visit("training")


def move(page: Any, key: str) -> dict[str, Any]:
    """Presses a key at the slider; returns what the page shows then."""
    page.get_by_label("Moment").press(key)
    return page.evaluate(SHOWN)


def check(shown: dict[str, Any], moment: dict[str, Any]) -> None:
    """Compares what the page shows with a recorded moment."""
    numbers = shown["numbers"]
    assert numbers[0].replace(",", "") == str(moment["step"])
    assert float(numbers[3]) == pytest.approx(moment["validation"], abs=0.0051)
    assert float(numbers[4]) == pytest.approx(moment["bits_per_byte"], abs=0.0051)
    assert shown["story"] == moment["story"]
    shares = unpack_array(moment["shares"], "<u2") / 65535
    np.testing.assert_allclose(shown["cells"], shares, atol=1e-9)
    names = [token.replace(" ", "·") for token, _ in moment["neighbours"][0]]
    assert shown["neighbours"] == names


def test_slider_moves_everything(page: Any, recording: dict[str, Any]) -> None:
    first, second, *_, last = recording["moments"]
    shown = page.evaluate(SHOWN)
    check(shown, last)
    at_start = move(page, "Home")
    check(at_start, first)
    after = move(page, "ArrowRight")
    check(after, second)
    assert at_start["dot"] < after["dot"] < shown["dot"]
    assert page.url.endswith("training.html")  # the arrow key turns no page


def test_slider_tells_a_screen_reader_the_moment(page: Any) -> None:
    move(page, "Home")
    said = page.get_by_label("Moment").get_attribute("aria-valuetext")
    assert said.startswith("step 0, 0.0\u00a0% of the training, held-out loss ")
    assert page.locator("#training-where").inner_text().startswith("step 0, ")


def test_pointing_at_a_row_says_where_its_token_looks(page: Any) -> None:
    grid = page.get_by_role("application", name="The shares of each token")
    grid.focus()
    page.keyboard.press("ArrowDown")
    said = page.locator("#training-says").inner_text()
    assert "‘·has’ looks at" in said
    assert page.url.endswith("training.html")


def test_reader_chooses_a_word(page: Any, recording: dict[str, Any]) -> None:
    page.get_by_label("word", exact=True).select_option(index=2)
    rows = page.locator("#training-neighbours tbody tr").all_inner_texts()
    expected = recording["moments"][-1]["neighbours"][2]
    assert rows == [f"{t.replace(' ', '·')}\t{c:.2f}" for t, c in expected]


def test_slider_stays_in_sight_on_a_phone(visit: Callable[..., Any]) -> None:
    page = visit("training", width=390, scheme="dark")
    page.locator("#training-neighbours").scroll_into_view_if_needed()
    slider = page.get_by_label("Moment")
    height = page.viewport_size["height"]
    assert 0 < slider.bounding_box()["y"] < height
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_page_works_from_a_disk(chromium: Any, pages: dict[str, Path]) -> None:
    complaints: list[str] = []
    page = chromium.new_page()
    page.on("console", lambda message: note_error(message, complaints))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(pages["training"].as_uri())
    assert move(page, "Home")["numbers"][0] == "0"
    page.close()
    assert complaints == []


def test_losses_can_be_read_without_scripts(
    chromium: Any, site: str, recording: dict[str, Any]
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/training.html")
    assert page.locator("noscript strong").is_visible()
    page.get_by_text("All moments in a table").click()
    rows = page.locator("details tbody tr")
    assert rows.count() == len(recording["moments"])
    assert rows.first.is_visible()
    context.close()

"""The page Inside in a browser: every stage, by mouse, by keyboard, on a phone."""

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from book import play
from book.lab.packing import as_script
from book.lab.sentence import SENTENCE
from book.view import shown_by, stages
from course.registry import load_registry
from tests.own.book.inside_trace import Arrays, arrays, rounded_weights, sent
from tests.own.book.test_book_browser import downloaded, serious

OWN = "Sue has a cat. Tom has a"
LIMIT = 400_000  # bytes, without the weights
CUT = """() => [...document.querySelectorAll(".inside *")]
  .filter((e) => e.checkVisibility() && !e.closest(".scroll, canvas"))
  .filter((e) => e.getBoundingClientRect().right > innerWidth - 8)
  .map((e) => e.outerHTML.slice(0, 80))"""
SMALL = """() => [...document.querySelectorAll(".inside *, .signature text")]
  .filter((e) => e.checkVisibility() && !e.childElementCount && e.textContent.trim())
  .filter((e) => parseFloat(getComputedStyle(e).fontSize) < 11)
  .map((e) => e.outerHTML.slice(0, 80))"""
LIT = """(name) => lab.page.scene.grids.find((g) => g.sheet.name === name).chosen.lit"""


@pytest.fixture(scope="module")
def running() -> Arrays:
    return arrays(SENTENCE, play.trained())


@pytest.fixture
def page(visit: Callable[..., Any]) -> Any:
    return visit("inside")


def open_stage(page: Any, title: str) -> None:
    page.get_by_role("navigation", name="Stages").get_by_role(
        "button", name=title, exact=True
    ).click()


def choice(page: Any, group: str, label: str) -> Any:
    """One of the choices of block, head, token or numbers."""
    options = page.get_by_role("group", name=group, exact=True)
    return options.get_by_label(label, exact=True)


def said(page: Any) -> str:
    """What the page says about the chosen cell."""
    lines = page.locator(".inside-says p").all_inner_texts()
    return "\n".join(filter(None, lines)).replace("−", "-")


def chosen(page: Any) -> dict[str, Any]:
    return page.evaluate("lab.page.scene.cell")


def point(page: Any, name: str, row: int, column: int) -> None:
    """Moves the mouse to a cell."""
    grid = page.evaluate_handle(
        "(name) => lab.page.scene.grids.find((g) => g.sheet.name === name)", name
    )
    box = grid.evaluate(
        "(grid, [row, column]) => grid.layout.box(row, column)", [row, column]
    )
    cells = grid.get_property("cells").as_element()
    cells.scroll_into_view_if_needed()
    middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    cells.hover(position=middle)


def own_text(page: Any, text: str) -> None:
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Walk it through").click()
    page.locator(".inside[aria-busy=false]").wait_for()


def tokens(page: Any) -> list[str]:
    return page.evaluate("lab.page.trace.tokens")


def test_the_way_leads_through_all_stages(page: Any) -> None:
    for number, stage in enumerate(stages(), start=1):
        heading = page.locator(".inside h2")
        assert heading.inner_text() == stage["title"]
        assert page.locator(".inside-place").inner_text().startswith(f"{number} of 21")
        current = page.locator(".inside-map [aria-current=step]")
        assert current.inner_text() == stage["title"]
        if number < len(stages()):
            page.locator(".inside-next").click()
    page.locator(".inside-back").click()
    assert page.locator(".inside h2").inner_text() == stages()[-2]["title"]


@pytest.mark.parametrize(
    ("title", "name", "row", "column"),
    [
        ("Look up the tokens", "wte", 1, 30),
        ("Add token and position", "h.0.in", 2, 200),
        ("Normalize", "h.0.ln_1", 3, 0),
        ("Query, key, value", "h.0.key", 4, 100),
        ("Join the heads", "h.0.attn", 0, 7),
        ("Add to what came in", "h.0.mid", 4, 223),
        ("Which units fire", "h.0.active", 2, 500),
        ("Normalize at the end", "ln_f", 1, 40),
        ("A logit for every token", "logits", 0, 286),
    ],
)
def test_pointing_at_a_cell_shows_its_number(
    page: Any, running: Arrays, title: str, name: str, row: int, column: int
) -> None:
    open_stage(page, title)
    point(page, name, row, column)
    at = chosen(page)
    assert (at["name"], at["row"], at["column"]) == (name, row, column)
    (number,) = re.findall(r"(-?[\d.]+)$", said(page).splitlines()[0])
    assert float(number) == pytest.approx(running[name][row, column], abs=0.0052)


def test_the_mix_of_values_is_written_out(page: Any, running: Arrays) -> None:
    open_stage(page, "Mix the values")
    choice(page, "Block", "2").check()
    choice(page, "Head", "1").check()
    choice(page, "Token", "·dog").check()
    point(page, "h.2.mixed", 0, 20)
    channel = 56 + 20
    shares = running["h.2.shares"][1, 3]
    values = running["h.2.value"][:, channel]
    total, *terms = (
        float(x) for x in re.findall(r"-?[\d.]+", said(page).splitlines()[1])[::-1]
    )
    pairs = np.stack([shares[:4], values[:4]], axis=1)
    np.testing.assert_allclose(terms[::-1], pairs.ravel(), atol=0.0052)
    assert total == pytest.approx(shares[:4] @ values[:4], abs=0.0052)
    assert page.evaluate(LIT, "h.2.shares") == [{"rows": [3, 4], "columns": [0, 4]}]
    assert page.evaluate(LIT, "h.2.value") == [{"rows": [0, 4], "columns": [20, 21]}]


def test_a_head_is_a_choice_away(page: Any, running: Arrays) -> None:
    open_stage(page, "Turn scores into shares")
    page.get_by_label("block 3, head 2").check()
    point(page, "h.3.shares", 4, 1)
    assert f"{100 * running['h.3.shares'][2, 4, 1]:.1f}\u00a0%" in said(page)
    assert choice(page, "Block", "3").is_checked()


def test_arrow_keys_move_inside_a_grid(page: Any) -> None:
    open_stage(page, "Query, key, value")
    grid = page.get_by_role("application", name="value: 5 by 224 numbers")
    grid.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    at = chosen(page)
    assert (at["name"], at["row"], at["column"]) == ("h.0.value", 3, 1)
    assert "‘·dog’, channel 1: value" in said(page)
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")  # there is no cell after the last
    assert chosen(page)["column"] == 223
    assert "inside.html" in page.url


def test_each_grid_and_the_map_are_one_tab_stop(page: Any) -> None:
    open_stage(page, "Query, key, value")
    stops = page.evaluate(
        """[...document.querySelectorAll(".inside *")]
          .filter((e) => e.tabIndex >= 0 && e.checkVisibility())
          .map((e) => e.getAttribute("role") ?? (e.closest("nav") ?? e).tagName)"""
    )
    assert stops.count("application") == 4
    assert stops.count("NAV") == 1


def test_keyboard_keeps_its_place_among_the_choices(page: Any) -> None:
    open_stage(page, "Query, key, value")
    choice(page, "Block", "0").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert choice(page, "Block", "2").is_checked()
    assert chosen(page)["name"] == "h.2.value"
    assert page.evaluate("document.activeElement.name").endswith("-block")


def test_the_focus_stays_on_the_way(page: Any) -> None:
    page.locator(".inside-next").focus()
    for _ in stages()[1:]:
        page.keyboard.press("Enter")
    assert page.locator(".inside h2").inner_text() == stages()[-1]["title"]
    page.keyboard.press("Enter")  # at the end, the focus is on the way back
    assert page.locator(".inside h2").inner_text() == stages()[-2]["title"]


def test_own_text_is_computed_in_the_page(page: Any) -> None:
    own_text(page, OWN)
    assert tokens(page) == play.tokens(OWN)
    open_stage(page, "Query, key, value")
    point(page, "h.0.query", 2, 9)
    expected = arrays(OWN, rounded_weights())["h.0.query"][2, 9]
    shown = float(re.findall(r"(-?[\d.]+)$", said(page).splitlines()[0])[0])
    assert shown == pytest.approx(expected, abs=0.0052)
    assert "The largest:" in said(page)


def test_tokens_that_are_no_whole_characters_show_their_bytes(page: Any) -> None:
    own_text(page, "Tom 🙂")
    assert tokens(page)[-1].startswith("0x")
    assert page.get_by_label("Text", exact=True).input_value() == "Tom 🙂"


def test_a_long_text_is_cut_and_the_page_says_so(page: Any) -> None:
    own_text(page, "Tom has a big dog. " * 10)
    assert len(tokens(page)) == 32
    assert page.get_by_text("Only 32 tokens fit here.").is_visible()


def test_a_chosen_token_is_appended(page: Any) -> None:
    open_stage(page, "Choose, append, repeat")
    best, share = play.next_tokens(SENTENCE)[0]
    option = page.locator(".inside-options button").first
    assert option.inner_text().split() == [
        best.replace(" ", "·"),
        *f"{100 * share:.1f} %".split(),
    ]
    page.get_by_role("button", name="Append the likeliest").click()
    page.wait_for_function("window.lab?.page?.trace.tokens.length === 6")
    assert tokens(page) == [*play.tokens(SENTENCE), best]
    page.get_by_role("button", name="Draw one and append it").click()
    page.wait_for_function("window.lab?.page?.trace.tokens.length === 7")


def test_the_text_is_carried_to_the_chapters(visit: Callable[..., Any]) -> None:
    page = visit("inside")
    own_text(page, OWN)
    open_stage(page, "Turn scores into shares")
    link = page.get_by_role("link", name="step 08")
    assert "text=Sue%20has" in link.get_attribute("href")
    page.goto(page.url.split("/inside.html")[0] + "/step_08.html")
    page.wait_for_function("window.lab?.page?.trace.tokens.length === 8")
    whole = page.get_by_role("link", name="The whole way")
    assert "text=Sue%20has" in whole.get_attribute("href")
    whole.click()
    page.wait_for_url("**/inside.html#*")
    page.wait_for_function("window.lab?.page?.trace.tokens.length === 8")
    back = page.get_by_role("button", name="Back to the running sentence")
    page.go_back()
    page.wait_for_function("window.lab?.page?.trace.tokens.length === 8")
    back.click()
    page.wait_for_function("window.lab?.page?.trace.tokens.length === 5")
    assert back.is_hidden()
    page.reload()
    assert page.evaluate("lab.page.trace.tokens.length") == 5


def test_an_address_opens_its_stage(visit: Callable[..., Any]) -> None:
    page = visit("inside")
    page.goto(f"{page.url}#stage=shares&block=2&head=3")
    page.reload()
    assert page.locator(".inside h2").inner_text() == "Turn scores into shares"
    assert page.get_by_label("block 2, head 3").is_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_stage_fits_a_phone(
    visit: Callable[..., Any], axe: Any, scheme: str
) -> None:
    page = visit("inside", width=390, scheme=scheme)
    for stage in stages():
        page.get_by_label("Stage", exact=True).select_option(stage["name"])
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate(CUT) == []
        assert page.evaluate(SMALL) == []
        if stage["name"] in ("tokens", "mix", "shares", "stream", "choice"):
            assert serious(axe.run(page)) == []


CONTRASTS = """() => {
  const palette = new lab.gridColors.Palette(document.body);
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map((x) => {
      const c = x / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  return Array.from({ length: 81 }, (_, i) => i / 40 - 1).map((x) => {
    const [a, b] = [light(palette.on(x, 1)), light(palette.of(x, 1))];
    return Math.max(a / b, b / a);
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_numbers_in_cells_are_legible(visit: Callable[..., Any], scheme: str) -> None:
    contrasts = visit("inside", scheme=scheme).evaluate(CONTRASTS)
    assert min(contrasts) >= 4.5


def test_a_tap_chooses_a_cell(chromium: Any, site: str) -> None:
    context = chromium.new_context(
        viewport={"width": 390, "height": 800}, has_touch=True
    )
    page = context.new_page()
    page.goto(f"{site}/inside.html#stage=scores")
    cells = page.get_by_role("application", name="scores of head 0: 5 by 5")
    cells.scroll_into_view_if_needed()
    cells.tap(position={"x": 60, "y": 40})
    assert chosen(page)["name"] == "h.0.scores"
    assert (chosen(page)["row"], chosen(page)["column"]) == (1, 1)
    context.close()


def test_a_narrow_strip_is_folded(visit: Callable[..., Any]) -> None:
    lines = "lab.page.scene.grids.at(-1).layout.lines"
    wide, narrow = (visit("inside", width=width) for width in (1280, 390))
    for page in (wide, narrow):
        page.evaluate("lab.page.open('hidden')")
        page.wait_for_function(f"{lines} > 0")
    assert wide.evaluate(lines) < narrow.evaluate(lines)


@pytest.fixture
def without_weights(chromium: Any, site: str) -> Iterator[SimpleNamespace]:
    """The page where no weights can be loaded, and the addresses that it asks for."""
    context = chromium.new_context()
    context.route("**/weights.js", lambda route: route.abort())
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site}/inside.html", wait_until="networkidle")
    yield SimpleNamespace(page=page, asked=asked)
    context.close()


def test_first_paint_needs_no_weights(without_weights: SimpleNamespace) -> None:
    page = without_weights.page
    assert tokens(page) == play.tokens(SENTENCE)
    open_stage(page, "Mix the values")
    assert said(page)
    assert not any("weights" in url for url in without_weights.asked)


def test_the_page_says_when_the_weights_are_missing(
    without_weights: SimpleNamespace,
) -> None:
    page = without_weights.page
    own_text(page, OWN)
    busy = page.locator(".inside-busy").inner_text()
    assert "Only the running sentence can be shown" in busy
    assert tokens(page) == play.tokens(SENTENCE)


def test_the_page_is_small_without_the_weights(chromium: Any, site: str) -> None:
    assert 0 < downloaded(chromium, f"{site}/inside.html") < LIMIT


def test_page_works_from_a_disk(chromium: Any, pages: dict[str, Any]) -> None:
    page = chromium.new_page()
    page.goto(pages["inside"].as_uri())
    own_text(page, OWN)
    assert tokens(page) == play.tokens(OWN)
    page.close()


SHOWING = [e for e in load_registry() if shown_by(e)]


@pytest.mark.parametrize("exercise", SHOWING, ids=lambda e: e.key)
def test_a_chapter_opens_at_its_stage(visit: Callable[..., Any], exercise: Any) -> None:
    page = visit(exercise.file)
    names = page.evaluate("lab.page.stages.map((stage) => stage.name)")
    assert names == shown_by(exercise).split()
    assert page.evaluate("lab.page.stage.name") == names[0]
    assert page.locator(".inside-scene").is_visible()
    assert page.locator(".signature .lit").count() >= 1
    label = page.locator(".signature").get_attribute("aria-label")
    titles = {stage["name"]: stage["title"] for stage in stages()}
    assert titles[names[0]] in label or "the whole model" in label


def test_every_step_but_the_first_shows_its_stage() -> None:
    steps = [e.key for e in load_registry() if e.is_step and not shown_by(e)]
    assert steps == ["s01"]  # it holds the sizes, and computes nothing


def given() -> dict[str, Any]:
    """The learner's wrong step 09: the heads are joined in reverse order."""
    right = arrays(SENTENCE, play.trained())
    wrong = right | {"h.1.mixed": right["h.1.mixed"][:, ::-1].copy()}
    wrong["h.1.shares"] = right["h.1.shares"].copy()
    wrong["h.1.shares"][2, 4, 0] += 0.25
    wrong["h.1.attn"] = np.full_like(right["h.1.attn"], np.nan)
    cells = [{"at": [0, 0], "expected": 1.0, "got": 2.0}]
    share = [{"at": [2, 4, 0], "expected": 1.0, "got": 2.0}]
    return {
        "mine": sent(SENTENCE, wrong),
        "reference": sent(SENTENCE, right),
        "whose": {"09": "yours", "08": "borrowed"},
        "differences": [
            {
                "stage": "h.1.shares",
                "step": 8,
                "cells": share,
                "count": 1,
                "sentence": "One share differs.",
            },
            {
                "stage": "h.1.mixed",
                "step": 9,
                "cells": cells,
                "count": 1120,
                "sentence": "The mix of values differs.",
            },
            {
                "stage": "h.1.attn",
                "step": 9,
                "cells": cells,
                "count": 1120,
                "sentence": "The numbers are not numbers.",
                "follows": True,
            },
        ],
        "note": "Your numbers, computed by Python.",
    }


def test_given_numbers_show_where_they_differ(page: Any) -> None:
    page.add_script_tag(content=as_script("inside.given", given()))
    page.evaluate("lab.page = lab.inside.open(lab.page.root)")
    assert page.locator(".inside h2").inner_text() == "Turn scores into shares"
    assert choice(page, "Head", "2").is_checked()  # of the first wrong cell
    assert (chosen(page)["row"], chosen(page)["column"]) == (4, 0)
    assert "step 08 · borrowed" in page.locator(".inside-place").inner_text()
    marks = page.locator(".inside-mark").all_inner_texts()
    assert marks == ["differs", "differs", "follows"]
    assert page.get_by_role("button", name="Show it").count() == 2
    assert page.get_by_text("Stages that differ because of this: 1.").is_visible()
    assert page.get_by_text("Your numbers, computed by Python.").is_visible()
    cells = "lab.page.scene.grids.at(-1).marks"
    assert page.evaluate(cells) == [[4, 0]]
    choice(page, "Head", "1").check()
    assert page.evaluate(cells) == []
    page.get_by_role("button", name="Show it").last.click()
    assert page.locator(".inside h2").inner_text() == "Mix the values"
    assert (chosen(page)["row"], chosen(page)["column"]) == (0, 0)
    choice(page, "Token", ".").check()
    choice(page, "Numbers", "difference").check()
    right = arrays(SENTENCE, play.trained())["h.1.mixed"][4]
    channel = chosen(page)["column"]
    mine, reference = (
        float(x) for x in re.findall(r"-?[\d.]+", said(page).splitlines()[1])
    )
    assert mine == pytest.approx(right[223 - channel], abs=0.0052)
    assert reference == pytest.approx(right[channel], abs=0.0052)
    open_stage(page, "Join the heads follows")
    choice(page, "Numbers", "yours").check()
    assert "NaN" in said(page)

"""Every page in a real browser: it loads, fits a phone, and can be used by everyone."""

from typing import Any

import pytest

from book.pages import SRC
from tests.own.book.lab_page import slide

PAGES = sorted(path.stem for path in SRC.glob("*.md") if path.stem != "SUMMARY")
KINDS_OF_PAGES = ["introduction", "step_08", "making_it_fast", "glossary"]
FIRST_PAGE = 300_000  # bytes
LEGIBLE = 10.95  # pixels; a label of 11 may be rendered as 10.99
KINDS = "pre, .table-wrapper, .scroll, .equation"

TOO_WIDE = f"""() => [...document.querySelectorAll("main *")]
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
  .filter((e) => !e.closest("{KINDS}, [popover], .allows-scroll"))
  .map((e) => e.outerHTML.slice(0, 80))"""
OPEN = "document.querySelectorAll('details').forEach((d) => d.open = true)"
# Elements that hide a part of their content, without those that only a screen reader
# meets. A text field scrolls as one writes.
HIDING = """() => [...document.querySelectorAll("main, main *")]
  .filter((e) => e instanceof HTMLElement && e.checkVisibility())
  .filter((e) => !e.matches("input, textarea, select, .lab-hidden"))
  .filter((e) => getComputedStyle(e).overflowX !== "visible")
  .filter((e) => e.scrollWidth > e.clientWidth + 1)"""
# Those whose other part nobody can reach, or of which no arrow tells.
UNMARKED = f"""() => ({HIDING})().filter((e) => {{
    const arrow = getComputedStyle(e, "::after");
    const isSeen = arrow.visibility === "visible" && arrow.content.includes("→");
    return !isSeen || getComputedStyle(e).overflowX !== "auto" || e.tabIndex !== 0;
  }}).map((e) => e.outerHTML.slice(0, 80))"""
# Those that hide something above or below, where nobody can scroll.
LOW = """() => [...document.querySelectorAll("main, main *")]
  .filter((e) => e instanceof HTMLElement && e.checkVisibility())
  .filter((e) => !e.matches("input, .lab-hidden"))
  .filter((e) => ["hidden", "clip"].includes(getComputedStyle(e).overflowY))
  .filter((e) => e.scrollHeight > e.clientHeight + 1)
  .map((e) => e.outerHTML.slice(0, 80))"""
# Texts that are too small as rendered: a drawing's may shrink with the drawing.
SMALL = """(legible) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = new Set();
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.checkVisibility()) continue;
    if (e.closest("script, style, annotation")) continue;
    let size = parseFloat(getComputedStyle(e).fontSize);
    const shrunk = e instanceof SVGElement && e.getScreenCTM();
    if (shrunk) size *= Math.hypot(shrunk.a, shrunk.b);
    if (size < legible) found.add(`${walker.currentNode.data.trim()}: ${size} px`);
  }
  return [...found];
}"""
# What a drawing leaves outside of itself.
CUT = """() => [...document.querySelectorAll("main svg text")]
  .filter((e) => e.checkVisibility() && !e.closest("[aria-hidden]"))
  .filter((e) => {
    const [own, all] = [e, e.ownerSVGElement].map((x) => x.getBoundingClientRect());
    return own.left < all.left - 2 || own.right > all.right + 2;
  })
  .map((e) => e.textContent)"""
SCROLLING_CODE = """() => [...document.querySelectorAll("pre.code, pre.terminal")]
  .filter((e) => e.scrollWidth > e.clientWidth + 1)
  .map((e) => e.innerText.split("\\n").sort((a, b) => b.length - a.length)[0])"""


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_a_phone_and_is_accessible(visit: Any, axe: Any, name: str) -> None:
    page = visit(name, width=390, scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(TOO_WIDE) == []
    assert serious(axe.run(page)) == []


@pytest.mark.parametrize("name", KINDS_OF_PAGES)
def test_page_at_full_size_is_accessible(visit: Any, axe: Any, name: str) -> None:
    page = visit(name)
    assert page.title()
    assert serious(axe.run(page)) == []


@pytest.mark.parametrize("name", PAGES)
def test_code_does_not_scroll_at_900(visit: Any, name: str) -> None:
    page = visit(name, width=900)
    page.evaluate(OPEN)
    assert page.evaluate(SCROLLING_CODE) == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_without_a_sign_or_too_small(
    visit: Any, name: str, width: int
) -> None:
    page = visit(name, width=width)
    page.evaluate(OPEN)
    assert_whole(page)


def test_no_stage_of_inside_is_cut(visit: Any) -> None:
    page = visit("inside", width=390)
    stages = page.locator(".inside select").first
    count = stages.locator("option").count()
    assert count > 20
    for stage in range(count):
        stages.select_option(index=stage)
        assert_whole(page)


def test_tree_of_eight_tokens_fits_and_says_on_a_phone_that_it_goes_on(
    lab: Any,
) -> None:
    slide(lab, {"numBeams": 4, "maxNewTokens": 8})
    lab.get_by_role("button", name="Search from here").click()
    tree = lab.locator("#lab-tree")
    tree.locator("svg").wait_for()
    settle(lab)
    assert tree.get_attribute("data-hides") is None
    lab.set_viewport_size({"width": 390, "height": 900})
    assert_whole(lab)
    assert tree.get_attribute("data-hides") == "right"


def assert_whole(page: Any) -> None:
    """Asserts that nothing is cut without a sign, and that all can be read."""
    settle(page)
    assert page.evaluate(UNMARKED) == []
    assert page.evaluate(LOW) == []
    assert page.evaluate(CUT) == []
    assert page.evaluate(SMALL, LEGIBLE) == []


def settle(page: Any) -> None:
    """Waits until the page has seen its last change, and painted."""
    frame = "new Promise((done) => requestAnimationFrame(done))"
    for _ in range(3):
        page.evaluate(frame)


def test_keyboard_reaches_what_is_hidden(visit: Any) -> None:
    page = visit("encore_constrained", width=390)
    settle(page)
    table = page.locator(".table-wrapper[data-hides]").first
    assert table.get_attribute("data-hides") == "right"
    table.focus()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "(e) => e.dataset.hides === 'left'", arg=table.element_handle()
    )
    assert page.url.endswith("encore_constrained.html")
    last = table.locator("th").last.bounding_box()
    assert last
    assert last["x"] + last["width"] <= 390


def test_equations_of_a_phone_are_whole(visit: Any) -> None:
    page = visit("encore_kv_cache", width=390)
    settle(page)
    assert page.locator(".equation").count()
    assert page.locator(".equation[data-hides]").count() == 0


def serious(results: Any) -> list[str]:
    """Axe's findings that keep somebody from reading or using the page."""
    return [
        f"{rule['id']}: {node['html'][:100]}"
        for rule in results.response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def downloaded(chromium: Any, address: str) -> int:
    """The bytes of a page and of all that it loads before a reader does anything."""
    sizes = []
    page = chromium.new_page()
    page.on("response", lambda response: sizes.append(len(response.body())))
    page.goto(address, wait_until="networkidle")
    page.close()
    return sum(sizes)


def test_first_page_is_small(chromium: Any, site: str) -> None:
    assert 0 < downloaded(chromium, f"{site}/index.html") < FIRST_PAGE


def test_copy_button_copies_the_command(visit: Any) -> None:
    page = visit("step_08")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy pixi run s08").first.click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "pixi run s08"


@pytest.mark.parametrize("width", [1280, 390])
def test_search_finds_and_leads_to_a_section(visit: Any, width: int) -> None:
    page = visit("introduction", width=width)
    page.keyboard.press("/")
    box = page.get_by_role("search")
    assert box.get_by_role("searchbox").evaluate("e => e === document.activeElement")
    page.keyboard.type("causal mas")
    box.get_by_role("link", name="Causal mask").first.wait_for()
    assert "sections" in box.get_by_role("status").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/step_02.html#causal-mask")


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("softmax", "glossary.html#softmax"),
        ("Logit", "glossary.html#logit"),
        ("attention", "step_08.html#attention"),
    ],
)
def test_search_begins_with_what_the_query_names(
    visit: Any, query: str, place: str
) -> None:
    page = visit("introduction")
    page.keyboard.press("/")
    page.keyboard.type(query)
    first = page.get_by_role("search").get_by_role("link").first
    first.wait_for()
    assert first.get_attribute("href") == place


def test_search_waits_for_its_index(visit: Any) -> None:
    """A reader may type before the box's toggle event."""
    page = visit("introduction")
    page.evaluate("""() => {
        const box = document.getElementById("search");
        box.showPopover();
        box.querySelector("input").value = "causal mask";
        box.querySelector("input").dispatchEvent(new Event("input"));
    }""")
    page.get_by_role("link", name="Causal mask").first.wait_for()


def test_search_says_that_its_index_is_missing(chromium: Any, site: str) -> None:
    page = chromium.new_page()  # not by ``visit``: the browser logs the missing file
    page.goto(f"{site}/introduction.html")
    page.route("**/search-index.js", lambda route: route.fulfill(status=404, body=""))
    page.get_by_role("button", name="Search").click()
    page.get_by_text("The index cannot be loaded.").wait_for()
    page.unroute("**/search-index.js")
    page.keyboard.type("causal mask")
    page.get_by_role("link", name="Causal mask").first.wait_for()
    page.close()


def test_search_says_that_there_is_nothing(visit: Any) -> None:
    page = visit("introduction")
    page.get_by_role("button", name="Search").click()
    page.keyboard.type("xylophone (")
    page.get_by_text("0 sections").wait_for()
    page.keyboard.press("Escape")
    assert not page.get_by_role("searchbox").is_visible()


def test_contents_open_and_lead_on_a_phone(visit: Any) -> None:
    page = visit("introduction", width=390)
    contents = page.get_by_role("navigation", name="Contents")
    assert not contents.is_visible()
    page.get_by_role("button", name="Contents").click()
    contents.get_by_role("link", name="Attention").first.click()
    page.wait_for_url("**/step_08.html")


def test_contents_show_where_we_are(visit: Any) -> None:
    page = visit("step_08")
    current = page.locator("#contents a[aria-current=page]")
    assert current.inner_text() == "08 · Attention"
    assert current.is_visible()


def test_arrow_keys_turn_the_page(visit: Any) -> None:
    page = visit("step_07")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/step_08.html")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/step_07.html")


def test_answers_are_folded(visit: Any) -> None:
    page = visit("step_08")
    question = page.locator("details.question").first
    answer = question.locator("p").first
    assert not answer.is_visible()
    question.locator("summary").click()
    assert answer.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_follow_the_theme(visit: Any, scheme: str) -> None:
    page = visit("step_08", scheme=scheme)
    ink = page.evaluate("getComputedStyle(document.body).color")
    text = page.locator(".drawing text").first
    assert text.evaluate("(e) => getComputedStyle(e).fill") == ink


def test_page_reads_without_scripts(chromium: Any, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/step_08.html")
    assert page.get_by_role("heading", level=1).inner_text() == "Attention"
    assert page.locator("#contents a").count() > 20
    context.close()

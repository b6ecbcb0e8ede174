"""The attention page in a browser: it shows the shares that Python computes."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from book.lab.attention import SENTENCES, attention, mean_targets
from tests.own.book.test_book_browser import serious


@pytest.fixture
def page(visit: Callable[..., Any]) -> Any:
    return visit("attention")


def shown(page: Any) -> list[float]:
    """The shares that the tokens of the text show."""
    return page.evaluate(
        """[...document.querySelectorAll("#attention-text button")]
          .map((token) => Number(token.style.getPropertyValue("--share")))"""
    )


def choose(page: Any, *names: str) -> None:
    label = page.locator("#attention-heads label")
    for name in names:
        label = label.filter(has_text=name)
    label.click()


@pytest.mark.parametrize(("layer", "head"), [(0, 1), (3, 2)])
def test_tokens_show_where_a_head_looks(page: Any, layer: int, head: int) -> None:
    page.get_by_label("Sentence", exact=True).select_option(index=1)
    choose(page, f"block {layer}", f"head {head}")
    shares = attention(SENTENCES[1])[layer, head]
    tokens = page.locator("#attention-text button")
    tokens.nth(4).hover()
    np.testing.assert_allclose(shown(page), shares[4], atol=1e-4)
    tokens.nth(7).focus()
    np.testing.assert_allclose(shown(page), shares[7], atol=1e-4)
    page.keyboard.press("ArrowRight")
    np.testing.assert_allclose(shown(page), shares[8], atol=1e-4)
    assert tokens.nth(8).get_attribute("aria-pressed") == "true"


def test_tapping_a_token_says_where_it_looks(visit: Callable[..., Any]) -> None:
    page = visit("attention", width=390, scheme="dark")
    page.locator("#attention-text button").nth(2).click()
    said = page.locator("#attention-says").inner_text()
    shares = [float(number) for number in re.findall(r"([\d.]+)\u00a0%", said)]
    assert len(shares) == 3
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.2)  # of its three tokens
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_average_is_that_of_the_heads(page: Any) -> None:
    shares = attention(SENTENCES[0])
    choose(page, "block 2", "average")
    np.testing.assert_allclose(shown(page), shares[2].mean(axis=0)[-1], atol=1e-4)
    choose(page, "all heads")
    np.testing.assert_allclose(shown(page), shares.mean(axis=(0, 1))[-1], atol=1e-4)


def test_matrix_follows_the_text_and_leads_it(page: Any) -> None:
    choose(page, "block 1", "head 0")
    shares = attention(SENTENCES[0])[1, 0]
    drawn = page.evaluate(
        """[...document.querySelectorAll(".attention-large rect[fill-opacity]")]
          .map((cell) => Number(cell.getAttribute("fill-opacity")))"""
    )
    expected = shares[shares >= 0.004]
    np.testing.assert_allclose(drawn, expected, atol=6e-4)
    drawing = page.locator(".attention-large")
    drawing.hover(position={"x": 150, "y": 96 + 22 * 3 + 11})
    np.testing.assert_allclose(shown(page), shares[3], atol=1e-4)


def test_table_shows_the_means(page: Any) -> None:
    choose(page, "block 3", "head 1")
    means = mean_targets(SENTENCES)
    cells = page.locator("#attention-targets td").all_inner_texts()[1:]
    numbers = [float(cell.removesuffix("\u00a0%").removeprefix("< ")) for cell in cells]
    np.testing.assert_allclose(numbers[0::2], 100 * means[3, 1], atol=0.11)
    np.testing.assert_allclose(numbers[1::2], 100 * means.mean(axis=(0, 1)), atol=0.11)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_on_the_strongest_tint_is_legible(
    visit: Callable[..., Any], axe: Any, scheme: str
) -> None:
    page = visit("attention", scheme=scheme)
    page.evaluate(
        """document.querySelectorAll("#attention-text button")
          .forEach((token) => token.style.setProperty("--share", 1))"""
    )
    assert serious(axe.run(page)) == []

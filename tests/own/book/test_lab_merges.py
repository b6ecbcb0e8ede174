"""The lab in a browser: a text becomes tokens, one merge after the other."""

from itertools import pairwise
from typing import Any

import pytest

from book import play
from solutions import encore_tokenizer as solution

TEXTS = ["Once upon a time", "I can't, naïve café 🤖  x²", "a<|endoftext|> a", ""]


def pieces(page: Any) -> list[list[str]]:
    """The symbols of each piece, as the page shows them."""
    return page.evaluate(
        """() => [...document.querySelectorAll("#lab-merge-pieces li")]
          .map((piece) => [...piece.children].map((symbol) => symbol.textContent))"""
    )


def merges(page: Any, number: float) -> None:
    """Moves the slider."""
    page.evaluate(
        """(value) => {
          const slider = document.getElementById("lab-merge-step");
          slider.value = value;
          slider.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        number,
    )


def last(page: Any) -> int:
    return int(page.locator("#lab-merge-step").get_attribute("max"))


@pytest.mark.parametrize("text", TEXTS)
def test_after_all_merges_the_ids_are_those_of_python(lab: Any, text: str) -> None:
    lab.get_by_label("A text to cut").fill(text)
    merges(lab, last(lab))
    shown = lab.locator("#lab-merge-ids").inner_text()
    ids = " ".join(map(str, play.encode(text)))
    assert shown == (f"Ids: {ids}" if ids else "An empty text has no ids.")


def test_each_merge_joins_the_pair_with_the_lowest_rank(lab: Any) -> None:
    text = "She said that she wanted to"
    lab.get_by_label("A text to cut").fill(text)
    made = play.checkpoint().tokenizer.merges
    ranks = {pair: rank for rank, pair in enumerate(made)}
    cut = [solution.tokenize(piece, {}) for piece in solution.pre_tokenize(text)]
    for number in range(last(lab) + 1):
        merges(lab, number)
        spaced = [[s.replace("Ġ", "·") for s in piece] for piece in cut]
        assert pieces(lab) == spaced
        known = [p for piece in cut for p in pairwise(piece) if p in ranks]
        assert bool(known) == (number < last(lab))
        if known:
            best = min(known, key=ranks.__getitem__)
            cut = [solution.merge_pair(piece, best) for piece in cut]


def test_a_step_is_told(lab: Any) -> None:
    lab.get_by_label("A text to cut").fill("the")
    note = lab.locator("#lab-merge-note")
    assert note.inner_text() == "1 piece with 3 symbols: at first, each byte is one."
    lab.get_by_label("Merges done").focus()
    lab.keyboard.press("ArrowRight")
    assert note.inner_text().startswith("Merge 1 of 1 has rank 0: ‘h’ and ‘e’")
    assert lab.url.endswith("/lab.html")

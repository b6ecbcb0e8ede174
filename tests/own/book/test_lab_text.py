"""The lab in a browser: the text grows, and undo shortens it."""

from typing import Any

import numpy as np

from book import play
from tests.own.book.lab_page import choose, idle, ids, logits, slide


def test_choose_undo_and_go_back(lab: Any) -> None:
    start = ids(lab)
    lab.locator("#lab-bars button").nth(2).focus()
    lab.keyboard.press("Enter")
    third = int(np.argsort(-logits(lab, start), kind="stable")[2])
    assert ids(lab) == [*start, third]
    choose(lab, 0)
    lab.locator("#lab-text button").nth(len(start)).click()
    assert ids(lab) == start
    lab.get_by_role("button", name="Undo").click()
    assert len(ids(lab)) == len(start) + 2
    lab.get_by_role("button", name="Start over").click()
    assert ids(lab) == start


def test_greedy_writes_the_likeliest(lab: Any) -> None:
    start = ids(lab)
    slide(lab, {"temperature": 0})
    lab.get_by_role("button", name="Write 20 tokens").click()
    idle(lab)
    text = ids(lab)
    assert len(text) == len(start) + 20
    for length in range(len(start), len(text)):
        scores = play.logits(text[:length])[-1]
        assert scores[text[length]] > scores.max() - 0.05
    lab.get_by_role("button", name="Undo").click()
    assert ids(lab) == start


def test_seed_decides_what_is_written(lab: Any) -> None:
    def story(seed: str) -> list[int]:
        lab.get_by_role("button", name="Start over").click()
        lab.get_by_label("Seed").fill(seed)
        lab.get_by_role("button", name="Write 20 tokens").click()
        idle(lab)
        return ids(lab)

    choose(lab, 0)
    first = story("7")
    assert story("8") != first
    assert story("7") == first


def test_own_words_become_tokens(lab: Any) -> None:
    lab.get_by_label("or with your own words").fill("The café isn't open")
    lab.get_by_role("button", name="Use them").click()
    assert ids(lab) == play.encode("The café isn't open")


def test_arrow_keys_stay_in_the_lab(lab: Any) -> None:
    choose(lab, 0)
    lab.locator("#lab-text button").last.focus()
    for place in ("#lab-text button:focus", "#lab-bars button", "#lab-temperature"):
        lab.locator(place).first.focus()
        lab.keyboard.press("ArrowLeft")
        lab.keyboard.press("ArrowRight")
    assert lab.url.endswith("/lab.html")
    assert lab.get_by_label("Temperature", exact=True).input_value() == "1"

"""The lab in a browser: only tokens that fit a pattern stay, as in Python."""

import re
from typing import Any

import numpy as np
import pytest

from book import play
from book.lab.patterns import PATTERNS, constraint, pack_constraint
from gpt2.decoding.automata import make_automaton
from gpt2.decoding.matching import Matching, Place, make_constraint
from tests.oracle import model as oracle
from tests.own.book.lab_page import FIRST, OFF, filtered, logits, slide

NAMES = [pattern for pattern, _ in PATTERNS]
# Its tokens make "no" only through "on": "n" alone is a dead end.
GAPS = [b"", b"ye", b"s", b"yes", b"n", b"on", b"e", b"", b"\xc3", b"nno"]
ALLOWED = """([packed, states, tokens, end]) => {
  const automaton = new lab.patterns.Automaton(packed);
  return states.map((state) => automaton.allowed(state, tokens, end));
}"""


def walk(js: Any, found: Any, vocabulary: list[bytes]) -> np.ndarray:
    """The page's tokens that may follow in each state: bools ``[S, V]``."""
    states = list(range(len(found.automaton.table)))
    tokens = [list(token) for token in vocabulary]
    return np.array(js(ALLOWED, [pack_constraint(found), states, tokens, 0]))


@pytest.mark.parametrize("pattern", NAMES)
def test_tokens_that_fit_equal_python(js: Any, pattern: str) -> None:
    found, tokens = constraint(pattern), play.checkpoint().tokenizer.token_bytes
    may = walk(js, found, tokens)
    np.testing.assert_array_equal(may, [found.allowed(i) for i in range(len(may))])
    assert may.any(axis=1).all()


def test_dead_ends_equal_python(js: Any) -> None:
    found = make_constraint(make_automaton("(yes)+|no|é"), GAPS, [0], len(GAPS))
    may = walk(js, found, GAPS)
    np.testing.assert_array_equal(may, [found.allowed(i) for i in range(len(may))])
    assert [GAPS[i] for i in np.flatnonzero(may[0])] == [b"ye", b"yes"]


def test_pattern_is_applied_before_the_filters(lab: Any) -> None:
    number, settings = 1, {"topK": 3, "temperature": 0.5, "repetitionPenalty": 1.5}
    slide(lab, settings)
    lab.get_by_label(NAMES[number]).check()
    one = lab.get_by_role("button", name="Draw 1 token that fits")
    place = python_place(number)
    for _ in range(3):
        text, step = state(lab)
        scores = logits(lab, text)
        kept = place.constrain(scores)
        assert np.flatnonzero(step["allowed"]).tolist() == fitting(kept)
        before = oracle.softmax(scores)
        np.testing.assert_allclose(step["before"], before, rtol=1e-9)
        after = filtered(kept, text, OFF | settings, FIRST)
        np.testing.assert_allclose(step["after"], after, rtol=1e-9)
        note = lab.locator("#lab-pattern-note").inner_text().replace("\u00a0", " ")
        assert f": {np.isfinite(kept).sum():,} of 2,048 tokens may follow" in note
        one.click()
        place.advance(state(lab)[0][-1])
    assert lab.locator("#lab-pattern-steps tbody tr").count() == 3


def python_place(number: int) -> Place:
    """Where Python's text of a pattern is."""
    tokens = play.checkpoint().tokenizer.token_bytes
    return Place(Matching(constraint(NAMES[number]), tokens))


def fitting(kept: np.ndarray) -> list[int]:
    return np.flatnonzero(np.isfinite(kept)).tolist()


def state(page: Any) -> tuple[list[int], dict[str, Any]]:
    """The ids of the page's text, and its step."""
    return page.evaluate(
        """() => {
          const { text, step } = lab.page.pattern;
          const names = step ? ["allowed", "before", "after"] : [];
          return [text.ids, Object.fromEntries(names.map((n) => [n, [...step[n]]]))];
        }"""
    )


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_texts_match_at_the_end(lab: Any, number: int) -> None:
    slide(lab, {"temperature": 0})
    lab.get_by_label(NAMES[number]).check()
    lab.get_by_role("button", name="Draw to the end").click()
    ended(lab)
    prompt = play.encode(PATTERNS[number][1])
    text, step = state(lab)
    new, end = text[len(prompt) : -1], text[-1]
    assert text[: len(prompt)] == prompt
    assert end == play.checkpoint().tokenizer.end_of_text_id
    assert re.fullmatch(NAMES[number], play.checkpoint().tokenizer.decode(new))
    assert step == {}
    assert lab.locator("#lab-pattern-steps tbody tr").count() == len(new) + 1
    lab.get_by_role("button", name="Begin again").click()
    assert state(lab)[0] == prompt
    assert lab.locator("#lab-pattern-steps").is_hidden()


def ended(page: Any) -> None:
    note = page.locator("#lab-pattern-note")
    note.get_by_text("The text has ended, and matches").wait_for()


def test_only_what_fits_can_be_chosen(lab: Any) -> None:
    lab.get_by_label(NAMES[2]).check()
    start, _ = state(lab)
    bars = lab.locator("#lab-pattern-bars button:visible")
    removed = bars.first
    assert "removed by pattern" in removed.get_attribute("aria-label")
    removed.focus()
    lab.keyboard.press("Enter")
    assert state(lab)[0] == start
    lab.locator("#lab-pattern-bars button[aria-disabled=false]:visible").last.focus()
    lab.keyboard.press("Enter")
    assert len(state(lab)[0]) == len(start) + 1
    assert lab.locator("#lab-pattern-bars button:focus").is_visible()


def test_the_end_keeps_the_focus(lab: Any) -> None:
    fits = lab.locator("#lab-pattern-bars button[aria-disabled=false]:visible")
    for _ in range(2):
        lab.get_by_label(re.compile("‘(Yes|end of text)’.*Choose it")).press("Enter")
    ended(lab)
    assert fits.count() == 0
    again = lab.get_by_role("button", name="Begin again")
    assert again.evaluate("(button) => button === document.activeElement")

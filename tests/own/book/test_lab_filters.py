"""The lab in a browser: sliders, bars, kept tokens and draws agree with Python."""

from typing import Any

import numpy as np
import pytest

from book import play
from tests.oracle import model as oracle
from tests.own.book.lab_page import (
    FIRST,
    LAST,
    OFF,
    ROUNDING,
    bars,
    choose,
    filtered,
    ids,
    logits,
    slide,
    summary,
)

SLIDERS = [
    ({"temperature": 0.5}, FIRST),
    ({"topK": 9}, FIRST),
    ({"topP": 0.6}, FIRST),
    ({"minP": 0.2}, FIRST),
    ({"repetitionPenalty": 1.5}, FIRST),
    ({"temperature": 1.5, "topP": 0.8}, FIRST),
    ({"temperature": 1.5, "topP": 0.8}, LAST),
]


@pytest.mark.parametrize(("settings", "order"), SLIDERS, ids=str)
def test_sliders_change_the_bars(lab: Any, settings: dict, order: str) -> None:
    choose(lab, 0)
    slide(lab, settings)
    lab.locator(f"[name=order][value='{order}']").check()
    text = ids(lab)
    scores = logits(lab, text)
    np.testing.assert_allclose(scores, play.logits(text)[-1], atol=ROUNDING)
    before = oracle.softmax(scores)
    after = filtered(scores, text, OFF | settings, order)
    best = np.argsort(-before, kind="stable")[:12]
    assert bars(lab, "--before") == pytest.approx(before[best].tolist(), rel=1e-6)
    assert bars(lab, "--after") == pytest.approx(after[best].tolist(), rel=1e-6)
    assert summary(lab, 0) == ["2,048", f"{(after > 0).sum():,}"]
    share = before[after > 0].sum()
    assert summary(lab, 1) == ["100.0 %", f"{100 * share:.1f} %"]
    entropy = -(after[after > 0] * np.log(after[after > 0])).sum()
    assert summary(lab, 2)[1] == f"{entropy:z.2f}"
    assert summary(lab, 3)[1] == f"{np.exp(entropy):.1f}"


def test_filters_say_what_they_removed(lab: Any) -> None:
    slide(lab, {"topK": 3})
    removed = lab.locator("#lab-bars .lab-gone:visible")
    assert removed.count() == 9
    assert "removed by top-k" in removed.first.get_attribute("aria-label")
    lab.get_by_role("button", name="All filters off").click()
    assert removed.count() == 0


def test_draws_converge_to_theory(lab: Any) -> None:
    slide(lab, {"topK": 5})
    shares = filtered(logits(lab, ids(lab)), [], OFF | {"topK": 5}, FIRST)
    for _ in range(20):
        lab.get_by_role("button", name="Draw 1,000 times").click()
    counts = lab.evaluate("[...lab.page.draws.counts]")
    assert sum(counts) == 20_000
    for token in np.flatnonzero(shares):
        low, high = oracle.binomial_range(20_000, shares[token])
        assert low <= counts[token] <= high
    assert sum(counts[token] for token in np.flatnonzero(shares)) == 20_000
    best = lab.locator("#lab-draws li").first.inner_text()
    assert f"drawn {max(counts):,.0f}" in best
    lab.get_by_label("Temperature", exact=True).press("ArrowRight")
    assert lab.locator("#lab-draws").is_hidden()

"""The lab in a browser: the tree equals that of ``beam_search``; experiments work."""

from typing import Any

import numpy as np
import pytest

from book import play
from solutions.encore_beam_search import beam_search
from tests.own.book.lab_page import ids, logits, scene, slide, summary


@pytest.mark.parametrize(
    ("beams", "tokens", "penalty"), [(1, 4, 1), (4, 6, 0), (3, 5, 2)]
)
def test_tree_equals_beam_search(
    lab: Any, beams: int, tokens: int, penalty: float
) -> None:
    slide(lab, {"numBeams": beams, "maxNewTokens": tokens, "lengthPenalty": penalty})
    lab.get_by_role("button", name="Search from here").click()
    best, score = beam_search(
        lambda texts: np.array([logits(lab, text.tolist()) for text in texts]),
        ids(lab),
        num_beams=beams,
        max_new_tokens=tokens,
        length_penalty=penalty,
        eos_token_id=play.checkpoint().tokenizer.end_of_text_id,
    )
    show = "(ids) => ids.map((id) => lab.page.tokenizer.show(id))"
    names = lab.evaluate(show, best[len(ids(lab)) :])
    nodes = lab.locator(
        "#lab-tree .lab-node.lab-best .lab-node-name"
    ).all_text_contents()
    assert [shorten(name) for name in names] == nodes
    texts = lab.locator("#lab-finished li").all_inner_texts()
    assert f"text score {score:.3f}".replace("-", "\u2212") in texts[0]
    candidates = lab.locator("#lab-tree-list > li").first.locator("li")
    assert candidates.count() == 2 * beams


def shorten(name: str) -> str:
    return f"{name[:9]}…" if len(name) > 10 else name


def test_experiments_set_the_scene(lab: Any) -> None:
    scene(lab, 1)
    assert lab.locator("#lab-text .lab-repeated").count() > 20
    assert "marked" in lab.locator("#lab-loop").inner_text()
    scene(lab, 2)
    assert summary(lab, 0)[1] == "10"
    sure = float(summary(lab, 3)[0])
    lab.get_by_role("button", name="The least sure place").click()
    assert float(summary(lab, 3)[0].replace(",", "")) > sure
    scene(lab, 3)
    first = int(summary(lab, 0)[1].replace(",", ""))
    lab.get_by_label("Temperature last").check()
    assert int(summary(lab, 0)[1].replace(",", "")) < first
    scene(lab, 4)
    lab.locator("#lab-finished li").first.wait_for()
    sums = lab.evaluate(
        """[lab.page.beams.run(), lab.page.beams.run({ numBeams: 1 })]
          .map(({ finished }) => finished[0].sum)"""
    )
    assert sums[0] > sums[1]

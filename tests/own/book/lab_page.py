"""Functions for the lab's tests: move the page's controls and read the results."""

import re
from typing import Any

import numpy as np

from solutions import encore_sampling as sampling

OFF = {"temperature": 1, "topK": 0, "topP": 1, "minP": 0, "repetitionPenalty": 1}
ROUNDING = 0.6  # the largest error of a logit, since a weight has 7.5 bits
FIRST, LAST = "temperature first", "temperature last"


def filtered(logits: np.ndarray, seen: list[int], settings: dict, order: str):
    """Python's probabilities ``[V]`` with these settings and this order of filters."""
    s = OFF | settings
    if order == FIRST:
        options = {re.sub("[A-Z]", r"_\g<0>", n).lower(): x for n, x in s.items()}
        return sampling.next_token_probabilities(logits, seen, **options)
    logits = sampling.apply_repetition_penalty(logits, seen, s["repetitionPenalty"])
    logits = sampling.top_k_filter(logits, s["topK"])
    logits = sampling.top_p_filter(logits, s["topP"])
    logits = sampling.min_p_filter(logits, s["minP"])
    return sampling.softmax(sampling.temperature_scale(logits, s["temperature"]))


def opened(page: Any) -> Any:
    """Returns the page after the model is loaded."""
    page.evaluate("lab.page.loading")
    return page


def ids(page: Any) -> list[int]:
    return page.evaluate("lab.page.session.ids")


def logits(page: Any, text: list[int]) -> np.ndarray:
    return np.array(
        page.evaluate("(ids) => [...lab.page.source.next(ids).logits]", text)
    )


def slide(page: Any, settings: dict[str, float]) -> None:
    for name, value in settings.items():
        page.evaluate(
            """([name, value]) => {
              const input = document.querySelector(`[name=${name}]`);
              input.value = value;
              input.dispatchEvent(new Event("input", { bubbles: true }));
            }""",
            [name, value],
        )


def idle(page: Any) -> None:
    page.locator("#lab[aria-busy=false]").wait_for()


def choose(page: Any, number: int) -> None:
    page.locator("#lab-bars button").nth(number).click()


def bars(page: Any, share: str) -> list[float]:
    """The shares of the visible bars."""
    return page.evaluate(
        """(share) => [...document.querySelectorAll("#lab-bars button")]
          .filter((bar) => bar.checkVisibility())
          .map((bar) => Number(bar.style.getPropertyValue(share)))""",
        share,
    )


def summary(page: Any, row: int) -> list[str]:
    cells = page.locator(f"#lab-summary tbody tr:nth-child({row + 1}) td")
    return [text.replace("\u00a0", " ") for text in cells.all_inner_texts()]


def scene(page: Any, number: int) -> None:
    page.get_by_role("button", name=f"Set up experiment {number}").click()
    assert page.get_by_role("region", name=f"Experiment {number}").is_visible()
    assert page.locator(".lab-scene:visible").count() == 1
    idle(page)

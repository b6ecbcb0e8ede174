"""The oracle of beam search finds what Hugging Face finds, and asks for no more."""

import json

import numpy as np
import pytest

from course.registry import ROOT
from solutions import encore_beam_search as solution
from tests import fakes, test_encore_beam_search
from tests.oracle import decoding as oracle_decoding
from tests.own.course.solution_here import SolutionHere

GOLDEN = ROOT / "tests" / "golden"


def test_equal_to_hugging_face() -> None:
    model = fakes.GoldenModel(GOLDEN / "odd")
    cases = json.loads((GOLDEN / "decoding.json").read_text())["beams"]
    assert len(cases) > 50
    for case in cases:
        prompt, new, score = (case.pop(k) for k in ("prompt", "new_ids", "score"))
        found = oracle_decoding.beam_search(model, prompt, **case)
        assert found == (prompt + new, pytest.approx(score, rel=1e-5)), case


def last_of_equals_first(
    beams: np.ndarray, sums: np.ndarray, log_probabilities: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Does what the solution's function does, with equals in the opposite order."""
    totals = (sums[:, None] + log_probabilities).round(9)
    last = totals.size - 1 - np.argsort(-totals.ravel()[::-1], kind="stable")
    rows, tokens = np.unravel_index(last[:count], totals.shape)
    longer = np.concatenate([beams[rows], tokens[:, None]], axis=1)
    return longer, totals[rows, tokens]


CHECKS = [name for name in vars(test_encore_beam_search) if name.startswith("test_")]


@pytest.mark.parametrize("name", CHECKS)
def test_the_order_of_equals_is_free(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solution, "_best_continuations", last_of_equals_first)
    getattr(test_encore_beam_search, name)(SolutionHere(solution))

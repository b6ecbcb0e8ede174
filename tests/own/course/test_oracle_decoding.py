"""The oracle of beam search finds what Hugging Face finds."""

import json

import pytest

from course.registry import ROOT
from tests import fakes
from tests.oracle import decoding as oracle_decoding

GOLDEN = ROOT / "tests" / "golden"


def test_equal_to_hugging_face() -> None:
    model = fakes.GoldenModel(GOLDEN / "odd")
    cases = json.loads((GOLDEN / "decoding.json").read_text())["beams"]
    assert len(cases) > 50
    for case in cases:
        prompt, new, score = (case.pop(k) for k in ("prompt", "new_ids", "score"))
        found = oracle_decoding.beam_search(model, prompt, **case)
        assert found == (prompt + new, pytest.approx(score, rel=1e-5)), case

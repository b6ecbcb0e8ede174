"""The oracle of contrastive search finds what Hugging Face finds."""

import json

from course.registry import ROOT
from tests import contrast_models
from tests.oracle import contrast as oracle

GOLDEN = ROOT / "tests" / "golden"


def test_equal_to_hugging_face() -> None:
    model = contrast_models.GoldenReader(GOLDEN / "odd")
    cases = json.loads((GOLDEN / "contrastive.json").read_text())["searches"]
    assert len(cases) > 30
    for case in cases:
        prompt, new = case.pop("prompt"), case.pop("new_ids")
        assert oracle.search(model, prompt, **case) == prompt + new, case


def test_no_score_is_too_close_to_call() -> None:
    model = contrast_models.GoldenReader(GOLDEN / "odd")
    for case in json.loads((GOLDEN / "contrastive.json").read_text())["searches"]:
        ids = case["prompt"]
        for token in case["new_ids"]:
            found = oracle.candidates(model, ids, case["top_k"], case["penalty_alpha"])
            *_, second, best = sorted(candidate.score for candidate in found)
            assert best - second > 1e-5
            ids = [*ids, token]

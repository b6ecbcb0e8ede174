"""What was recorded for the lab and the attention page is what the model says now."""

import json
from base64 import b64decode
from typing import Any

import numpy as np
import pytest

from book import play
from book.lab import attention, record, scenes
from book.lab.packing import DATA
from solutions.encore_sampling import top_tokens

MEGABYTE = 1_000_000


def read(name: str) -> Any:
    """The value in a script that ``write_script`` has written."""
    text = (DATA / f"{name}.js").read_text(encoding="utf-8")
    return json.loads(text.partition(f"lab.{name} = ")[2].rstrip().removesuffix(";"))


def array(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(b64decode(text), dtype)


@pytest.fixture(scope="module")
def recording() -> Any:
    return read("recording")


def scene(recording: Any, name: str) -> tuple[list[int], np.ndarray]:
    """A scene's ids, and Python's logits for what follows them."""
    place = recording["scenes"][name]
    opening = recording["openings"][place["opening"]]
    ids = opening["prompt"] + opening["path"][: place["steps"]]
    return ids, play.logits(ids)[-1]


def test_weights_are_current() -> None:
    assert read("weights") == record.weights(), "python -m book.lab.record"


def test_tokenizer_is_current(recording: Any) -> None:
    tokenizer = record.tokenizer()
    assert {name: recording[name] for name in tokenizer} == tokenizer


@pytest.mark.parametrize("number", range(len(record.OPENINGS)))
def test_openings_are_current(recording: Any, number: int) -> None:
    opening = recording["openings"][number]
    assert opening["text"] == record.OPENINGS[number]
    assert opening["prompt"] == play.encode(opening["text"])
    ids = array(opening["ids"], "<u2").reshape(-1, record.RECORDED)
    logits = array(opening["logits"], "<f4").reshape(ids.shape)
    assert len(ids) == len(opening["path"]) + 1 == record.STEPS + 1
    for step in (0, 1, record.STEPS):
        now = play.logits(opening["prompt"] + opening["path"][:step])[-1]
        best = [token for token, _ in top_tokens(now, record.RECORDED)]
        assert set(ids[step]) == set(best)
        np.testing.assert_allclose(logits[step], now[ids[step]], atol=1e-4)
        rest = np.logaddexp.reduce(np.delete(now, ids[step]))
        assert array(opening["rest"], "<f8")[step] == pytest.approx(rest, abs=1e-6)


def test_greedy_text_goes_in_circles(recording: Any) -> None:
    ids, _ = scene(recording, "loop")
    assert scenes.repeated_tokens(ids) > scenes.GREEDY / 4


def test_scenes_are_as_the_text_says(recording: Any) -> None:
    sure, unsure = (scenes.entropy(scene(recording, n)[1]) for n in ("sure", "unsure"))
    assert unsure > sure + 1
    assert scenes.order_matters(scene(recording, "order")[1]) > 0
    assert scenes.beam_gain(scene(recording, "beams")[0]) > 0


def test_attention_is_current() -> None:
    kept = read("attention")
    for text, sentence in zip(attention.SENTENCES, kept["sentences"], strict=True):
        assert "".join(sentence["tokens"]) == text
        fresh = attention.pack_sentence(text)
        difference = array(sentence["shares"], "<u2") - array(
            fresh["shares"], "<u2"
        ).astype(int)
        assert np.abs(difference).max() <= 1, "python -m book.lab.attention"
    np.testing.assert_allclose(
        kept["targets"], attention.mean_targets(attention.SENTENCES), atol=1e-4
    )


def test_targets_sum_to_one() -> None:
    shares = np.array(
        [[1.0, 0, 0, 0], [0.3, 0.7, 0, 0], [0.1, 0.2, 0.7, 0], [0.4, 0.1, 0.2, 0.3]]
    )
    itself, before, first, others = attention.targets(shares[None, None])[0, 0]
    assert itself == pytest.approx(0.7 + 0.7 + 0.3)
    assert before == pytest.approx(0.3 + 0.2 + 0.2)
    assert first == pytest.approx(0.1 + 0.4)
    assert others == pytest.approx(0.1)


def test_data_is_small() -> None:
    sizes = {path.stem: path.stat().st_size for path in DATA.glob("*.js")}
    assert sizes.keys() == {"recording", "weights", "attention"}
    assert sum(sizes.values()) < 3 * MEGABYTE

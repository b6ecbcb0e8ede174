"""The recordings of the lab and of the running sentence show what the pages say."""

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from book import play
from book.lab import record, scenes, sentence, weights
from book.lab.packing import (
    DATA,
    as_script,
    pack_array,
    read_script,
    unpack_array,
)

MEGABYTE = 1_000_000


def read(name: str) -> Any:
    """The value in a recorded script."""
    return read_script((DATA / f"{name}.js").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def recording() -> Any:
    return read("recording")


def scene(recording: Any, name: str) -> tuple[list[int], np.ndarray]:
    """A scene's ids, and Python's logits for the next token."""
    place = recording["scenes"][name]
    opening = recording["openings"][place["opening"]]
    ids = opening["prompt"] + opening["path"][: place["steps"]]
    return ids, play.logits(ids)[-1]


def test_greedy_text_goes_in_circles(recording: Any) -> None:
    ids, _ = scene(recording, "loop")
    assert scenes.repeated_tokens(ids) > scenes.GREEDY / 4


def test_scenes_are_as_the_text_says(recording: Any) -> None:
    sure, unsure = (scenes.entropy(scene(recording, n)[1]) for n in ("sure", "unsure"))
    assert unsure > sure + 1
    assert scenes.order_matters(scene(recording, "order")[1]) > 0
    assert scenes.beam_gain(scene(recording, "beams")[0]) > 0


def test_recordings_agree_but_for_rounding() -> None:
    kept = (DATA / "recording.js").read_text(encoding="utf-8")
    recording = read_script(kept)
    opening = recording["openings"][0]
    logits = unpack_array(opening["logits"], "<f4")
    for change, agree in ((5e-5, True), (5e-4, False)):
        opening["logits"] = pack_array(logits + np.float32(change))
        fresh = as_script("recording", recording)
        assert record.recordings_agree(kept, fresh) == agree


def test_a_changed_pattern_is_noticed(recording: Any) -> None:
    fresh = recording | {"patterns": recording["patterns"][1:]}
    kept, other = (as_script("recording", content) for content in (recording, fresh))
    assert record.recordings_agree(kept, kept)
    assert not record.recordings_agree(kept, other)


def test_patterns_are_a_small_part(recording: Any) -> None:
    assert len(as_script("patterns", recording["patterns"])) < 0.03 * MEGABYTE


@pytest.mark.parametrize(("change", "same"), [(1, True), (3, False)])
def test_sentences_agree_to_the_last_places(change: int, same: bool) -> None:
    kept = (DATA / "sentence.js").read_text(encoding="utf-8")
    recording = read_script(kept)
    product = recording["products"]["h.1.mlp.c_fc"]
    values = unpack_array(product["values"], "<i2").copy()
    values[7] -= change
    product["values"] = pack_array(values)
    fresh = as_script("sentence", recording)
    assert sentence.recordings_agree(kept, fresh) == same


def test_packed_rows_are_exact_to_16_bits() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 50)) * [[1], [100], [0]]
    error = np.abs(sentence.unpack_rows(sentence.pack_rows(rows)) - rows)
    assert (error <= np.abs(rows).max(axis=1, keepdims=True) / 2**16 + 1e-12).all()


def test_the_lab_is_a_small_download(built: SimpleNamespace) -> None:
    html = (built.folder / "lab.html").read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="([^"#:]+\.(?:js|css|svg))"', html)
    files = {built.folder / name for name in ("lab.html", weights.FILE, *named)}
    assert sum(path.stat().st_size for path in files) < 4 * MEGABYTE


def test_the_other_pages_data_is_small(built: SimpleNamespace) -> None:
    for name in ("sentence", "training"):
        data = built.folder / "lab" / "data" / f"{name}.js"
        assert data.stat().st_size < 0.15 * MEGABYTE

"""Which neighbours change the last digits of a text's logits; the book says it."""

from pathlib import Path

import numpy as np
import pytest

from gpt2.checkpoint.configuration import read_config
from gpt2.checkpoint.safetensors_files import read_weights
from gpt2.checkpoint.weights import convert_weights
from gpt2.engine.engines import Engine
from gpt2.engine.kernel_cache import KernelCache

FOLDER = Path(__file__).parents[2] / "golden" / "odd"


@pytest.fixture(scope="module")
def engine():
    config = read_config(FOLDER / "config.json")
    engine = Engine(config, convert_weights(read_weights(FOLDER), config))
    if not isinstance(engine.empty_cache(1), KernelCache):
        pytest.skip("MAX's operations compute here, not the course's kernels")
    return engine


@pytest.mark.parametrize("rows", [3, 4, 5, 8, 9])
def test_a_text_has_the_same_bits_in_every_company(engine, rows):
    ids = np.random.default_rng(0).integers(0, engine.config.vocab_size, [rows, 3])
    pair = engine.prefill(ids[:2]), engine.decode(ids[:2, 0])
    more = engine.prefill(ids), engine.decode(ids[:, 0])
    for few, many in zip(pair, more, strict=True):
        np.testing.assert_array_equal(few, many[:2])

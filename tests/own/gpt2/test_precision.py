"""Smaller weights: how they are rounded, and what an engine computes with them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from max.dtype import DType

from gpt2.engine.engines import Engine
from gpt2.engine.precision import PrecisionError, pack, to_bfloat16, to_int8
from solutions.solution_01 import GPT2Config
from tests.oracle import model as oracle

ROOT = Path(__file__).parents[3]
CONFIG = GPT2Config(  # some 50 MB in float32
    vocab_size=131072, n_positions=24, n_embd=96, n_layer=2, n_head=3, n_inner=160
)
CHANCE = np.random.default_rng(0)
IDS = CHANCE.integers(0, CONFIG.vocab_size, [3, 20])
NEAR = dict(rtol=0, atol=1e-4)
STEP = 2.0**-8  # half the distance of two bfloat16 numbers from 1 to 2


def named() -> dict[str, np.ndarray]:
    """Returns random weights by the names of ``MaxGPT2LMHeadModel``."""
    sizes = CONFIG.vocab_size, CONFIG.n_positions, CONFIG.n_embd, CONFIG.n_layer
    shapes = oracle.parameter_shapes(*sizes, CONFIG.n_inner)
    state = oracle.random_state(shapes, scale=0.2)
    return {f"transformer.{name}": array for name, array in state.items()}


def upper(array: np.ndarray) -> np.ndarray:
    """Returns bfloat16 numbers as float32, bit for bit."""
    halves = to_bfloat16(array).view(DType.uint16, array.shape).to_numpy()
    return (halves.astype(np.uint32) << 16).view(np.float32)


@pytest.mark.parametrize(
    ("number", "rounded"),
    [
        (1.0, 1.0),
        (1 + STEP, 1.0),  # halfway, to the even one below
        (1 + 3 * STEP, 1 + 4 * STEP),  # halfway, to the even one above
        (1 + STEP + 2**-23, 1 + 2 * STEP),
        (-(1 + STEP), -1.0),
        (2 - 2**-23, 2.0),  # to another exponent
        (0.0, 0.0),
        (2.0**-133, 2.0**-133),  # the smallest bfloat16
        (2.0**-134, 0.0),
        (1.5 * 2.0**-133, 2.0**-132),
        (3.4028234e38, np.inf),
        (np.inf, np.inf),
        (-np.inf, -np.inf),
    ],
)
def test_rounding_to_bfloat16(number, rounded):
    array = np.full([2, 3], number, dtype=np.float32)
    np.testing.assert_array_equal(
        upper(array), np.float32(rounded) + 0 * array[:0].sum()
    )


def test_a_zero_keeps_its_sign():
    assert np.signbit(upper(np.array([[-0.0]], dtype=np.float32)))


@pytest.mark.parametrize("bits", [0x7FC00000, 0x7F800001, 0x7FFFFFFF, 0xFFFFFFFF])
def test_nan_stays_nan(bits):
    assert np.isnan(upper(np.array([[bits]], dtype=np.uint32).view(np.float32))).all()


def test_rounding_takes_any_layout():
    array = CHANCE.standard_normal([6, 8], dtype=np.float32)
    np.testing.assert_array_equal(upper(array.T), upper(array.T.copy()))


def test_whole_numbers_and_their_scales():
    array = CHANCE.standard_normal([5, 96], dtype=np.float32)
    array[2] = 0
    array[3, 32:64] = 0
    array[4] *= 1e30
    whole, scales = to_int8(array)
    assert whole.dtype == np.int8
    assert scales.shape == (5, 3)
    blocks = np.abs(array.reshape(5, 3, 32)).max(axis=-1)
    np.testing.assert_allclose(scales, blocks / 127, rtol=1e-6)
    assert (
        np.abs(whole.reshape(5, 3, 32)).max(axis=-1)[blocks > 0].tolist() == [127] * 11
    )
    assert not whole[2].any()
    error = np.abs(whole * scales.repeat(32, axis=1) - array)
    assert (error <= 0.501 * scales.repeat(32, axis=1)).all()


@pytest.mark.parametrize("largest", [2e-43, 1e-40, 1.4e-38, 1.5e-36, 1e-30])
def test_tiny_weights_keep_their_sign(largest):
    """Whole numbers above 127 would come back as negative ones."""
    array = np.linspace(0, largest, 32, dtype=np.float32)[None]
    whole, scales = to_int8(array)
    assert (whole >= 0).all()
    assert np.isfinite(scales).all()


@pytest.mark.parametrize("size", [1, 31, 33, 48])
def test_int8_needs_whole_blocks(size):
    with pytest.raises(
        PrecisionError, match=f"rows of {size}: use bfloat16 or float32"
    ):
        to_int8(np.ones([2, size], dtype=np.float32))


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_packing_lets_go_of_the_weights(precision):
    weights = named()
    names = set(weights)
    packed = pack(weights, precision, 0)
    assert weights == {}
    assert names < set(packed)


def dequantized(precision: str) -> dict[str, np.ndarray]:
    """Returns weights in float32 that the smaller form keeps as they are."""
    weights = named()
    for name, array in weights.items():
        if array.ndim < 2 or name.endswith("wpe.weight"):
            continue
        if precision == "bfloat16":
            weights[name] = upper(array)
        elif precision == "int8":
            whole, scales = to_int8(array)
            weights[name] = whole * scales.repeat(32, axis=1)
    return weights


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_logits_are_those_of_the_rounded_weights(precision):
    """One row, a few rows and many rows take different ways through the kernels."""
    weights = named()
    engine = Engine(CONFIG, weights, precision=precision)
    assert bool(weights) == (precision == "float32")
    want = oracle.logits(IDS, dequantized(precision), CONFIG.n_layer, CONFIG.n_head)
    np.testing.assert_allclose(engine.prefill(IDS[:, :9]), want[:, 8], **NEAR)
    for place in (9, 10):
        np.testing.assert_allclose(engine.decode(IDS[:, place]), want[:, place], **NEAR)
    found = engine.continue_from(0, IDS, 20)
    np.testing.assert_allclose(found, want, **NEAR)
    np.testing.assert_allclose(engine.prefill(IDS[:1, :1]), want[:1, 0], **NEAR)
    np.testing.assert_allclose(engine.decode(IDS[:1, 1]), want[:1, 1], **NEAR)


def test_sizes_that_int8_does_not_divide():
    config = GPT2Config(vocab_size=11, n_positions=4, n_embd=24, n_layer=1, n_head=2)
    weights = {"transformer.wte.weight": np.ones([11, 24], dtype=np.float32)}
    with pytest.raises(PrecisionError, match="int8 needs rows of a multiple of 32"):
        Engine(config, weights, precision="int8")


RESIDENT = """
import sys
import numpy as np
import psutil
from gpt2.engine.engines import Engine
from tests.own.gpt2.test_precision import CONFIG, named
engine = Engine(CONFIG, named(), precision=sys.argv[1])
engine.prefill(np.array([[1, 2, 3]]))
print(psutil.Process().memory_info().rss)
"""


def resident(precision: str) -> float:
    """Returns the MB in use by a process whose engine has read a text."""
    done = subprocess.run(
        [sys.executable, "-c", RESIDENT, precision],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout) / 1e6


def test_smaller_weights_take_less_memory():
    """The model's matrices have 50 MB in float32, 25 in bfloat16 and 14 in int8."""
    whole, half, least = map(resident, ("float32", "bfloat16", "int8"))
    assert half < whole - 15
    assert least < whole - 26

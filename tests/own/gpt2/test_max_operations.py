"""What MAX's operations compute in another way on an accelerator, on the CPU.

The same graph runs on both, so the CPU shows that the formulas are right.
"""

import numpy as np
import pytest
from max.driver import CPU
from max.dtype import DType
from max.experimental.nn import Module
from max.graph import TensorType

from gpt2.engine import max_operations
from gpt2.engine.compiling import compile_model
from tests.oracle import model as oracle

CHANCE = np.random.default_rng(0)
NEAR = dict(rtol=0, atol=2e-5)


class Formulas(Module):
    """All formulas in one graph, because a compile takes long."""

    def __init__(self, config):
        pass

    def forward(self, query, key, value, old_key, old_value, mask, x, weight):
        attended = max_operations.attend(query, key, value, (old_key, old_value), mask)
        product = max_operations.multiply(x, weight)
        return attended, product, *max_operations.split(x), max_operations.own_gelu(x)


@pytest.fixture(scope="module")
def formulas():
    """Returns a function of NumPy arrays."""
    new, old = ["batch", "seq", 2, 4], ["past", "batch", 2, 4]
    shapes = [new, new, new, old, old, ["batch", "seq", "total"], ["n", 40], [40, 9]]
    inputs = [TensorType(DType.float32, shape, device=CPU()) for shape in shapes]
    compiled = compile_model(Formulas, None, {}, inputs, CPU())
    return lambda *arrays: [x.to_numpy() for x in compiled.engine_model(*arrays)]


def normal(*shape):
    return CHANCE.standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize("past", [0, 3])
def test_formulas(formulas, past):
    query, key, value = normal(3, 2, 5, 2, 4)
    old_key, old_value = normal(2, past, 2, 2, 4)
    mask = np.triu(np.full([5, past + 5], -np.inf, dtype=np.float32), past + 1)
    mask = np.stack([mask, mask])
    x, weight = normal(6, 40), normal(40, 9)
    attended, product, leading, rest, gelu = formulas(
        query, key, value, old_key, old_value, mask, x, weight
    )
    keys = np.concatenate([old_key, key.transpose(1, 0, 2, 3)])
    values = np.concatenate([old_value, value.transpose(1, 0, 2, 3)])
    scores = np.einsum("bthd,sbhd->bhts", query, keys) + mask[:, None]
    weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    want = np.einsum("bhts,sbhd->bthd", weights, values)
    np.testing.assert_allclose(attended, want, **NEAR)
    np.testing.assert_allclose(product, x @ weight, rtol=0, atol=2e-4)
    np.testing.assert_array_equal(leading + rest, x)
    assert not (leading.view(np.int32) & 0xFFFF).any()  # 8 binary digits
    np.testing.assert_allclose(gelu, oracle.gelu(x), **NEAR)

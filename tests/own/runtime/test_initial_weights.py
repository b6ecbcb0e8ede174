"""A layer starts with normal draws of its dtype, from NumPy or from MAX."""

import pytest
from max.driver import CPU
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import Embedding, Linear, embedding, linear
from max.experimental.tensor import default_device, default_dtype

from runtime.initial_weights import draw_with_numpy


@pytest.fixture(autouse=True)
def drawn_with_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (linear, embedding):  # so that monkeypatch restores it
        monkeypatch.setattr(module, "random", module.random)
    draw_with_numpy()


def test_weights_are_normal_and_differ() -> None:
    with default_device(CPU()), default_dtype(DType.float32):
        layer, table = Linear(300, 400), Embedding(400, dim=300)
    first, second = layer.weight.to_numpy(), table.weight.to_numpy()
    assert first.shape == second.shape == (400, 300)
    assert layer.bias.to_numpy().shape == (400,)
    assert abs(first.mean()) < 0.02
    assert abs(first.std() - 1) < 0.02
    assert (first != second).all()


def test_another_dtype_is_maxs_affair() -> None:
    with default_device(CPU()), default_dtype(DType.float64), F.lazy():
        assert Linear(2, 3).weight.dtype == DType.float64

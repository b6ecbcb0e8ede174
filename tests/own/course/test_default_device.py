"""A finished model runs on its input's device, whatever MAX's defaults are.

On a machine with an accelerator the defaults are that accelerator and bfloat16.
"""

from collections.abc import Callable

import numpy as np
import pytest
from max.dtype import DType
from max.experimental.nn import Module
from max.experimental.tensor import Tensor, default_device, default_dtype

from runtime.defaults import on_the_cpu, one_graph
from solutions.encore_kv_cache import CachedGPT2LMHeadModel, generate_with_cache
from solutions.solution_01 import GPT2Config
from solutions.solution_13 import MaxGPT2LMHeadModel
from solutions.solution_14 import generate_tokens
from tests.oracle import model as oracle

CONFIG = GPT2Config(
    vocab_size=11, n_positions=9, n_embd=12, n_layer=2, n_head=3, n_inner=20
)
SHAPES = oracle.parameter_shapes(11, 9, channels=12, layers=2, inner=20)
STATE = oracle.random_state({f"transformer.{name}": s for name, s in SHAPES.items()})


class Nowhere:
    """A default device on which no tensor can be made."""


def loaded(model_class: Callable[[GPT2Config], Module]) -> Module:
    with one_graph():
        model = model_class(CONFIG)
    model.load_state_dict(STATE)
    return model


def plain(ids: Tensor, **options: bool) -> Callable[[], Tensor]:
    model = loaded(MaxGPT2LMHeadModel)
    rng = np.random.default_rng
    return lambda: generate_tokens(model, ids, 3, eos_token_id=0, rng=rng(0), **options)


def cached(ids: Tensor) -> Callable[[], Tensor]:
    model = loaded(CachedGPT2LMHeadModel)
    return lambda: generate_with_cache(model, ids, 3)


@pytest.mark.parametrize(
    ("make", "options"),
    [(plain, {"do_sample": True}), (plain, {"do_sample": False}), (cached, {})],
)
def test_nothing_goes_to_the_default_device(make, options):
    ids = Tensor.from_dlpack(np.array([[1, 2], [3, 4]]))
    write = make(ids, **options)
    with on_the_cpu():
        expected = write().to_numpy()
    with default_device(Nowhere()), default_dtype(DType.bfloat16):
        got = write().to_numpy()
    assert got.tolist() == expected.tolist()

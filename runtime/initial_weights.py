"""Draws the initial weights of layers with NumPy, which makes checks faster.

MAX adds an operation to its graph for each initial weight. A check then replaces
these weights before anything is computed.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
from max.dtype import DType
from max.experimental import random
from max.experimental.tensor import Tensor, defaults

from runtime.plain_max import plain_max


def draw_with_numpy() -> None:
    """Makes MAX's layers draw weights with NumPy; MAX's ``random`` stays as it is."""
    if plain_max():
        return
    try:
        from max.experimental.nn import embedding, linear
    except ImportError:  # a later MAX may define its layers elsewhere
        return
    generator = np.random.default_rng(0)

    def normal(shape: Any) -> Tensor:
        if defaults()[0] != DType.float32:
            return random.normal(shape)
        sizes = [int(size) for size in shape]
        return Tensor.from_dlpack(generator.standard_normal(sizes, dtype=np.float32))

    linear.random = embedding.random = SimpleNamespace(normal=normal)

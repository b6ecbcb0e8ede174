"""Draws a layer's first weights with NumPy, which takes a model's check less time.

MAX makes an operation of its graph for each weight that a layer starts with, and a
check puts others in their place before anything is computed.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
from max.dtype import DType
from max.experimental import random
from max.experimental.tensor import Tensor, defaults

from runtime.plain_max import plain_max


def draw_with_numpy() -> None:
    """Makes MAX's layers draw in NumPy from now on; ``random`` itself stays."""
    if plain_max():
        return
    try:
        from max.experimental.nn import embedding, linear
    except ImportError:  # a later MAX may have its layers elsewhere
        return
    generator = np.random.default_rng(0)

    def normal(shape: Any) -> Tensor:
        if defaults()[0] != DType.float32:
            return random.normal(shape)
        sizes = [int(size) for size in shape]
        return Tensor.from_dlpack(generator.standard_normal(sizes, dtype=np.float32))

    linear.random = embedding.random = SimpleNamespace(normal=normal)

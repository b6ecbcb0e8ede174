"""The key-value cache of a batch whose texts may differ in length.

Shapes: B rows, T new tokens, P positions, H heads, D head size.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager

import numpy as np
from max.driver import Buffer, Device
from max.dtype import DType

from solutions.solution_01 import GPT2Config


class Cache:
    """Keys and values of B texts; each text begins at position 0 of its row.

    After the end of a text, its row holds arbitrary numbers.

    Args:
        config: the model's sizes.
        rows: B.
        device: the model's device.

    Attributes:
        lengths: ``[B]``, the number of tokens in each text.
        buffers: a key and a value for each layer.
    """

    def __init__(self, config: GPT2Config, rows: int, device: Device) -> None:
        self.config, self.device = config, device
        self.lengths = np.zeros(rows, dtype=np.int64)
        shape = self.buffer_shape(rows)
        count = 2 * config.n_layer
        self.buffers = [Buffer(DType.float32, shape, device) for _ in range(count)]

    def buffer_shape(self, rows: int) -> list[int]:
        """Returns the shape of a buffer for ``rows`` texts."""
        raise NotImplementedError

    def seen(self, count: int) -> np.ndarray:
        """Returns the model's input that tells what ``count`` new tokens see."""
        raise NotImplementedError

    def past(self) -> list[Buffer]:
        """Returns the model's inputs of keys and values, without a copy."""
        raise NotImplementedError

    def append(self, count: int, new: Sequence[Buffer]) -> None:
        """Adds ``count`` tokens to every text; ``new`` has the model's outputs."""
        raise NotImplementedError

    def arrays(self, end: int) -> AbstractContextManager[list[np.ndarray]]:
        """Lends the first ``end`` positions ``[B, end, H, D]``, to read and write."""
        raise NotImplementedError

    @property
    def longest(self) -> int:
        """The length of the longest text."""
        return int(self.lengths.max(initial=0))

    def positions(self, count: int) -> np.ndarray:
        """Returns the positions ``[B, T]`` of T new tokens in their texts."""
        return self.lengths[:, None] + np.arange(count)

    def keep(self, length: int) -> None:
        """Forgets all tokens of every text after its first ``length``."""
        self.lengths = np.minimum(self.lengths, length)

    def select(self, rows: Sequence[int]) -> "Cache":
        """Returns a cache of these rows, in this order; rows may repeat.

        The cache itself must not be used afterwards.
        """
        if len(rows) != len(self.lengths):
            return gather([(self, rows)])
        moved = [place for place, row in enumerate(rows) if place != row]
        if moved:
            sources = [rows[place] for place in moved]
            with self.arrays(self.longest) as arrays:
                for array in arrays:
                    array[moved] = array[sources]
        self.lengths = self.lengths[list(rows)]
        return self


def gather(parts: Sequence[tuple[Cache, Sequence[int]]]) -> Cache:
    """Returns a new cache of the given rows of several caches, in this order."""
    first, size = parts[0][0], sum(len(rows) for _, rows in parts)
    new = type(first)(first.config, size, first.device)
    new.lengths = np.concatenate([cache.lengths[list(rows)] for cache, rows in parts])
    start, end = 0, new.longest
    with new.arrays(end) as joined:
        for cache, rows in parts:
            places = slice(start, start := start + len(rows))
            filled = min(cache.longest, end)
            with cache.arrays(filled) as olds:
                for old, array in zip(olds, joined, strict=True):
                    array[places, :filled] = old[list(rows)]
                    array[places, filled:] = 0
    return new

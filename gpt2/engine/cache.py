"""The key-value cache of a batch whose texts may differ in length.

Shapes: B rows, T new tokens, P positions in use, H heads, D head size. A buffer is
``[n_positions, B, H, D]``: with positions first, the first P are contiguous in memory.
"""

from collections.abc import Sequence

import numpy as np
from max.driver import Buffer, Device
from max.dtype import DType

from solutions.solution_01 import GPT2Config


class Cache:
    """Keys and values of B texts; each text begins at position 0 of its row.

    After the end of a shorter text, the row holds arbitrary finite numbers up to P.
    The mask hides these numbers. They must be finite, because NaN times 0 is NaN.

    Args:
        config: the model's sizes.
        rows: B.
        device: the model's device.

    Attributes:
        lengths: ``[B]``, the number of tokens in each text.
        buffers: the model's inputs, a key and a value for each layer.
        arrays: the same memory as NumPy arrays.
    """

    def __init__(self, config: GPT2Config, rows: int, device: Device) -> None:
        self.config, self.device = config, device
        self.lengths = np.zeros(rows, dtype=np.int64)
        shape = [config.n_positions, rows, config.n_head]
        shape += [config.n_embd // config.n_head]
        count = 2 * config.n_layer
        self.buffers = [Buffer(DType.float32, shape, device) for _ in range(count)]
        self.arrays = [buffer.to_numpy() for buffer in self.buffers]

    @property
    def longest(self) -> int:
        """P, the length of the longest text."""
        return int(self.lengths.max(initial=0))

    def past(self) -> list[Buffer]:
        """Returns each layer's keys and values ``[P, B, H, D]``, without a copy."""
        end = self.longest
        return [buffer[:end, :, :, :] for buffer in self.buffers]

    def positions(self, count: int) -> np.ndarray:
        """Returns the positions ``[B, T]`` of T new tokens in their texts."""
        return self.lengths[:, None] + np.arange(count)

    def mask(self, count: int) -> np.ndarray:
        """Returns the mask ``[B, T, P + T]``: 0 for a visible position, else -inf.

        A new token sees the past of its own text. The past comes first: the attention
        kernel works in blocks, and a first block of -inf alone would give NaN.
        """
        end = self.longest
        places = np.arange(end + count)
        own = places < self.lengths[:, None, None]  # [B, 1, P + T]
        new = (places >= end) & (places <= end + np.arange(count)[:, None])
        return np.where(own | new, np.float32(0), np.float32(-np.inf))

    def append(self, new: Sequence[Buffer]) -> None:
        """Adds T tokens to every text; ``new`` has ``[T, B, H, D]`` for each buffer."""
        start, count = self.longest, new[0].shape[0]
        (short,) = np.nonzero(self.lengths < start)
        places = self.lengths[short] + np.arange(count)[:, None]  # [T, short]
        for array, part in zip(self.arrays, (p.to_numpy() for p in new), strict=True):
            array[start : start + count] = part
            if len(short):  # texts shorter than P
                array[places, short] = part[:, short]
        self.lengths += count

    def select(self, rows: Sequence[int]) -> "Cache":
        """Returns a cache of these rows, in this order; rows may repeat.

        The cache itself must not be used afterwards.
        """
        if len(rows) != len(self.lengths):
            return gather([(self, rows)])
        moved = [place for place, row in enumerate(rows) if place != row]
        sources, end = [rows[place] for place in moved], self.longest
        for array in self.arrays if moved else ():
            array[:end, moved] = array[:end, sources]
        self.lengths = self.lengths[list(rows)]
        return self


def gather(parts: Sequence[tuple[Cache, Sequence[int]]]) -> Cache:
    """Returns a new cache of the given rows of several caches, in this order."""
    first, size = parts[0][0], sum(len(rows) for _, rows in parts)
    new = Cache(first.config, size, first.device)
    new.lengths = np.concatenate([cache.lengths[list(rows)] for cache, rows in parts])
    column, end = 0, new.longest
    for cache, rows in parts:
        columns = slice(column, column := column + len(rows))
        filled = min(cache.longest, end)
        for old, array in zip(cache.arrays, new.arrays, strict=True):
            array[:filled, columns] = old[:filled, list(rows)]
            array[filled:end, columns] = 0
    return new

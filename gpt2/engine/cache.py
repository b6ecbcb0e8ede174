"""The key-value cache of a batch whose texts may differ in length.

Shapes: B rows, T new tokens, P positions in use, H heads, D head size. A buffer is
``[n_positions, B, H, D]``: with positions first, the first P are contiguous in memory.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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
    """

    def __init__(self, config: GPT2Config, rows: int, device: Device) -> None:
        self.config, self.device = config, device
        self.lengths = np.zeros(rows, dtype=np.int64)
        shape = [config.n_positions, rows, config.n_head]
        shape += [config.n_embd // config.n_head]
        count = 2 * config.n_layer
        self.buffers = [Buffer(DType.float32, shape, device) for _ in range(count)]
        here = self.buffers if device.is_host else []
        self._views = [buffer.to_numpy() for buffer in here]

    @property
    def longest(self) -> int:
        """P, the length of the longest text."""
        return int(self.lengths.max(initial=0))

    def past(self) -> list[Buffer]:
        """Returns each layer's keys and values ``[P, B, H, D]``, without a copy."""
        return self.between(0, self.longest)

    @contextmanager
    def arrays(self, end: int) -> Iterator[list[np.ndarray]]:
        """Lends the first ``end`` positions as NumPy arrays, to read and to write.

        An accelerator's memory is copied to the host and back.
        """
        if self.device.is_host:
            yield [view[:end] for view in self._views]
            return
        buffers = self.between(0, end)
        arrays = [buffer.to_numpy() for buffer in buffers]
        yield arrays
        for buffer, array in zip(buffers, arrays, strict=True):
            buffer.inplace_copy_from(Buffer.from_numpy(array))

    def between(self, start: int, end: int) -> list[Buffer]:
        """Returns the positions from ``start`` to ``end`` of each buffer."""
        return [buffer[start:end, :, :, :] for buffer in self.buffers]

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
        (short,) = np.nonzero(self.lengths < start)  # texts shorter than P
        if self.device.is_host or len(short):
            self._write(start, short, [part.to_numpy() for part in new])
        else:  # a copy within the accelerator
            rooms = self.between(start, start + count)
            for room, part in zip(rooms, new, strict=True):
                room.inplace_copy_from(part)
        self.lengths += count

    def _write(self, start: int, short: np.ndarray, new: list[np.ndarray]) -> None:
        """Writes tokens at position ``start``, for shorter texts also at their ends."""
        count = len(new[0])
        places = self.lengths[short] + np.arange(count)[:, None]  # [T, short]
        with self.arrays(start + count) as arrays:
            for array, part in zip(arrays, new, strict=True):
                array[start:] = part
                if len(short):
                    array[places, short] = part[:, short]

    def keep(self, length: int) -> None:
        """Forgets all tokens of every text after its first ``length``.

        What stays in memory is hidden by the mask, and the next tokens overwrite it.
        """
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
                    array[:, moved] = array[:, sources]
        self.lengths = self.lengths[list(rows)]
        return self


def gather(parts: Sequence[tuple[Cache, Sequence[int]]]) -> Cache:
    """Returns a new cache of the given rows of several caches, in this order."""
    first, size = parts[0][0], sum(len(rows) for _, rows in parts)
    new = Cache(first.config, size, first.device)
    new.lengths = np.concatenate([cache.lengths[list(rows)] for cache, rows in parts])
    column, end = 0, new.longest
    with new.arrays(end) as joined:
        for cache, rows in parts:
            columns = slice(column, column := column + len(rows))
            filled = min(cache.longest, end)
            for old, array in zip(cache.between(0, filled), joined, strict=True):
                array[:filled, columns] = old.to_numpy()[:, list(rows)]
                array[filled:, columns] = 0
    return new

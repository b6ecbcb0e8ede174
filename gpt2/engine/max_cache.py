"""The cache of a model made of MAX's operations, whose new tokens are outputs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from max.driver import Buffer

from gpt2.engine.cache import Cache


class MaxCache(Cache):
    """Buffers ``[P, B, H, D]``: the first P positions of a longer buffer lie together.

    After the end of a text, its row holds arbitrary finite numbers. The mask hides
    them. They must be finite, because NaN times 0 is NaN.
    """

    def buffer_shape(self, rows: int) -> list[int]:
        """Returns ``[n_positions, B, H, D]``."""
        config = self.config
        return [config.n_positions, rows, config.n_head, config.n_embd // config.n_head]

    def seen(self, count: int) -> np.ndarray:
        """Returns the mask ``[B, T, P + T]``: 0 for a visible position, else -inf.

        A new token sees the past of its own text.
        """
        end = self.longest
        places = np.arange(end + count)
        own = places < self.lengths[:, None, None]  # [B, 1, P + T]
        new = (places >= end) & (places <= end + np.arange(count)[:, None])
        return np.where(own | new, np.float32(0), np.float32(-np.inf))

    def past(self) -> list[Buffer]:
        """Returns the first positions, up to the end of the longest text."""
        return self.between(0, self.longest)

    def between(self, start: int, end: int) -> list[Buffer]:
        """Returns the positions from ``start`` to ``end`` of each buffer."""
        return [buffer[start:end, :, :, :] for buffer in self.buffers]

    def append(self, count: int, new: Sequence[Buffer]) -> None:
        """Copies the new tokens' keys and values ``[T, B, H, D]``."""
        start = self.longest
        (short,) = np.nonzero(self.lengths < start)
        if self.device.is_host or len(short):
            self._write(start, short, [part.to_numpy().swapaxes(0, 1) for part in new])
        else:  # a copy within the accelerator
            rooms = self.between(start, start + count)
            for room, part in zip(rooms, new, strict=True):
                room.inplace_copy_from(part)
        self.lengths = self.lengths + count

    def _write(self, start: int, short: np.ndarray, new: list[np.ndarray]) -> None:
        """Writes tokens ``[B, T, H, D]`` at position ``start``, and shorter texts' also
        at their ends."""
        count = new[0].shape[1]
        places = self.lengths[short, None] + np.arange(count)  # [short, T]
        with self.arrays(start + count) as arrays:
            for array, part in zip(arrays, new, strict=True):
                array[:, start:] = part
                if len(short):
                    array[short[:, None], places] = part[short]

    @contextmanager
    def arrays(self, end: int) -> Iterator[list[np.ndarray]]:
        """Lends the first ``end`` positions ``[B, end, H, D]``, to read and to write.

        An accelerator's memory is copied to the host and back.
        """
        buffers = self.between(0, end)
        arrays = [buffer.to_numpy() for buffer in buffers]
        yield [array.swapaxes(0, 1) for array in arrays]
        if not self.device.is_host:
            for buffer, array in zip(buffers, arrays, strict=True):
                buffer.inplace_copy_from(Buffer.from_numpy(array))

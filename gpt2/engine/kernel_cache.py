"""The cache that the course's kernels write to in place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from max.driver import Buffer

from gpt2.engine.cache import Cache


class KernelCache(Cache):
    """Buffers ``[B, H, P, D]``, where P is the context: a head's rows lie together."""

    def buffer_shape(self, rows: int) -> list[int]:
        """Returns ``[B, H, P, D]``."""
        config = self.config
        head_size = config.n_embd // config.n_head
        return [rows, config.n_head, config.n_positions, head_size]

    def seen(self, count: int) -> np.ndarray:
        """Returns the texts' lengths ``[B]``: a token sees what is before it."""
        return self.lengths

    def past(self) -> list[Buffer]:
        """Returns the whole buffers."""
        return self.buffers

    def append(self, count: int, new: Sequence[Buffer]) -> None:
        """Counts the tokens, which the kernel has written."""
        self.lengths = self.lengths + count

    @contextmanager
    def arrays(self, end: int) -> Iterator[list[np.ndarray]]:
        """Lends the first ``end`` positions ``[B, end, H, D]`` as views."""
        yield [buffer.to_numpy().swapaxes(1, 2)[:, :end] for buffer in self.buffers]

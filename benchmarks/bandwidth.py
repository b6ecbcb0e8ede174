"""Measures the memory bandwidth, which limits the speed of decoding.

Each token of one text reads every weight once and calculates little. So a token takes
at least the time to read all weights (Pope et al. 2022, section 2).
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

BYTES = 2**29  # far larger than any cache
READERS = (np.max, lambda part: np.dot(part, part))  # machines differ in the faster one


class Memory:
    """A large array, which all cores read together."""

    def __init__(self) -> None:
        cores = os.cpu_count() or 1
        self._parts = np.array_split(np.ones(BYTES // 4, dtype=np.float32), cores)
        self._pool = ThreadPoolExecutor(cores)  # NumPy releases the GIL

    def read(self, times: int = 5) -> float:
        """The bytes per second: the best of some times, in the faster way."""
        found = [self._seconds(reader) for _ in range(times) for reader in READERS]
        return BYTES / min(found)

    def _seconds(self, reader) -> float:
        start = time.perf_counter()
        list(self._pool.map(reader, self._parts))
        return time.perf_counter() - start


def read_bandwidth() -> float:
    """The bytes per second that all cores read together."""
    return Memory().read()

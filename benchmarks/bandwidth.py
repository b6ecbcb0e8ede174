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


def read_bandwidth(rounds: int = 5) -> float:
    """The bytes per second that all cores read together: the best of some rounds."""
    cores = os.cpu_count() or 1
    parts = np.array_split(np.ones(BYTES // 4, dtype=np.float32), cores)
    with ThreadPoolExecutor(cores) as pool:  # NumPy releases the GIL
        times = [seconds(pool, parts, f) for _ in range(rounds) for f in READERS]
    return BYTES / min(times)


def seconds(pool: ThreadPoolExecutor, parts: list[np.ndarray], reader) -> float:
    start = time.perf_counter()
    list(pool.map(reader, parts))
    return time.perf_counter() - start

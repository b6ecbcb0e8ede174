"""How fast this machine reads memory: the floor under every decoded token.

A token of one text needs every weight once and does almost nothing with it, so it
cannot take less time than reading the weights (Pope et al. 2022, section 2.1).
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

BYTES = 2**29  # far more than any cache holds
READERS = (np.max, lambda part: np.dot(part, part))  # neither is best everywhere


def read_bandwidth(rounds: int = 5) -> float:
    """Bytes per second that all cores read together, the best of a few rounds."""
    cores = os.cpu_count() or 1
    parts = np.array_split(np.ones(BYTES // 4, dtype=np.float32), cores)
    with ThreadPoolExecutor(cores) as pool:  # NumPy lets other threads run meanwhile
        times = [seconds(pool, parts, f) for _ in range(rounds) for f in READERS]
    return BYTES / min(times)


def seconds(pool: ThreadPoolExecutor, parts: list[np.ndarray], reader) -> float:
    start = time.perf_counter()
    list(pool.map(reader, parts))
    return time.perf_counter() - start

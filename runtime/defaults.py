"""The course's settings of MAX: interpreted operations, on the CPU, in float32.

This file holds no patches, only MAX's own settings. Importing it is quick.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.kernels import use_kernels

# MAX reads this when it is imported. Its default also compiles every operation.
INTERPRETED = {"MAX_EAGER_EXECUTOR": "interpreter"}


def interpret_operations() -> None:
    """Lets MAX interpret eager operations, unless the environment says otherwise."""
    for name, value in INTERPRETED.items():
        os.environ.setdefault(name, value)


def silence_advice() -> None:
    """Hides MAX's warnings, which suggest commands that the course does not have."""
    logging.getLogger("max").setLevel(logging.ERROR)


@contextmanager
def on_the_cpu() -> Iterator[None]:
    """Runs operations on the CPU, in float32, with the kernels stored on disk."""
    from max.driver import CPU
    from max.dtype import DType
    from max.experimental.tensor import default_device, default_dtype

    use_kernels()
    with default_device(CPU()), default_dtype(DType.float32):
        yield


@contextmanager
def one_graph() -> Iterator[None]:
    """Collects operations into one graph, on the CPU, in float32."""
    from max.experimental import functional as F

    with on_the_cpu(), F.lazy():
        yield

"""How the course sets MAX: interpreted, on the CPU, in float32.

Nothing here is a patch: these are MAX's own settings. To import this is quick.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.kernels import use_kernels

# Read when MAX is imported: its default compiles every operation on the side.
INTERPRETED = {"MAX_EAGER_EXECUTOR": "interpreter"}


def interpret_operations() -> None:
    """Lets MAX interpret eager operations, unless the environment says otherwise."""
    for name, value in INTERPRETED.items():
        os.environ.setdefault(name, value)


def silence_advice() -> None:
    """Keeps MAX from naming commands that are not the course's."""
    logging.getLogger("max").setLevel(logging.ERROR)


@contextmanager
def on_the_cpu() -> Iterator[None]:
    """Runs operations on the CPU, in float32, with the kernels that are kept."""
    from max.driver import CPU
    from max.dtype import DType
    from max.experimental.tensor import default_device, default_dtype

    use_kernels()
    with default_device(CPU()), default_dtype(DType.float32):
        yield


@contextmanager
def one_graph() -> Iterator[None]:
    """Collects operations on the CPU, in float32: one graph is faster than many."""
    from max.experimental import functional as F

    with on_the_cpu(), F.lazy():
        yield

"""Models run as they are written, without a compile."""

from collections.abc import Iterator
from contextlib import contextmanager

from gpt2.kernels import use_kernels


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

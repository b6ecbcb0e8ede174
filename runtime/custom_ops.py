"""A faster compile for graphs that call one of MAX's kernels by name."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from runtime.plain_max import plain_max


@contextmanager
def without_kernel_check() -> Iterator[None]:
    """Skips a check that reads all of MAX's kernels: 3 s in each process."""
    from max.graph import KernelLibrary

    if plain_max() or not hasattr(KernelLibrary, "verify_custom_op"):
        yield
        return
    with patch.object(KernelLibrary, "verify_custom_op"):
        yield


@contextmanager
def without_log() -> Iterator[None]:
    """Lets MAX write no log of Mojo's errors, which the exception has, too."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)

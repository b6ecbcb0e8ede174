"""Ctrl-C while MAX compiles."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.plain_max import plain_max


@contextmanager
def interruptible() -> Iterator[None]:
    """Lets Ctrl-C end the process; Python's handler cannot run while MAX compiles."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if plain_max() or not in_main_thread:
        yield
        return
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)

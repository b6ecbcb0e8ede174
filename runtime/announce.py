"""How a compile is told of, while somebody waits for it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

# Entered around a compile, with what is compiled and about how many seconds that takes:
# None where MAX may still have it from another time.
Announce = Callable[[str, int | None], AbstractContextManager[None]]


@contextmanager
def on_stderr(what: str, seconds: int | None) -> Iterator[None]:
    """Tells when a compile will take long, or has."""
    if seconds:
        message = f"first run on this machine: compiling {what}, about {seconds} s"
        print(message, file=sys.stderr)
    started = time.perf_counter()
    yield
    took = time.perf_counter() - started
    if seconds is None and took > 1.0:
        print(f"compiled {what} in {took:.0f} s", file=sys.stderr)

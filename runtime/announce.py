"""Messages for a user who waits for a compile."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

# A context manager around a compile. Its arguments are the name of the thing compiled
# and about how many seconds are left. None: MAX's own cache may have it.
Announce = Callable[[str, int | None], AbstractContextManager[None]]


@contextmanager
def on_stderr(what: str, seconds: int | None) -> Iterator[None]:
    """Prints before a compile of known length, or after one of more than 1 s."""
    if seconds:
        message = f"first run on this machine: compiling {what}"
        print(f"{message}, about {seconds} s to go", file=sys.stderr)
    started = time.perf_counter()
    yield
    took = time.perf_counter() - started
    if seconds is None and took > 1.0:
        print(f"compiled {what} in {took:.0f} s", file=sys.stderr)

"""Notices keys without reading them."""

import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_usual: dict[int, list[Any]] = {}  # the settings of terminals that were changed


def terminal() -> int | None:
    """Returns the terminal of standard output, by its descriptor.

    None if the output is no terminal, or if this process is in the background, where
    the terminal's settings belong to another process.
    """
    try:
        descriptor = sys.stdout.fileno()
        termios.tcgetattr(descriptor)
    except (OSError, ValueError, termios.error):
        return None
    with suppress(OSError):  # not the terminal that sends this process its signals
        if os.tcgetpgrp(descriptor) != os.getpgrp():
            return None
    return descriptor


@contextmanager
def each_key_at_once(descriptor: int, *, drop: bool = False) -> Iterator[None]:
    """Makes a terminal readable from the first key on, and not from Enter on.

    Keys are not shown. Whoever reads next gets them: after the program, the shell gets
    the beginning of the next command.

    Args:
        descriptor: the terminal's.
        drop: forget all keys pressed before and meanwhile, where nobody will read them.
    """
    _usual[descriptor] = termios.tcgetattr(descriptor)
    changed = termios.tcgetattr(descriptor)
    changed[3] &= ~(termios.ICANON | termios.ECHO)
    changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
    when = termios.TCSAFLUSH if drop else termios.TCSADRAIN
    termios.tcsetattr(descriptor, when, changed)
    try:
        yield
    finally:
        give_back(when)


def give_back(when: int = termios.TCSADRAIN) -> None:
    """Gives terminals their usual settings again."""
    while _usual:
        with suppress(termios.error):  # the terminal was closed
            descriptor, settings = _usual.popitem()
            termios.tcsetattr(descriptor, when, settings)

"""Runs Ray in a thread of its own, so that no signal interrupts Ray's code.

Signals reach the main thread alone. Ray would set its own handlers there, and an
exception that a handler raises inside Ray can get lost.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

# Ctrl-C, a polite kill, and a terminal that is closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, Any], Any]


@contextmanager
def apart[T](context: AbstractContextManager[T]) -> Iterator[T]:
    """Enters and leaves a context in another thread."""
    with ThreadPoolExecutor(1) as pool:
        entering = pool.submit(context.__enter__)
        try:
            yield entering.result()
        finally:
            wait([entering])
            if entering.exception() is None:
                pool.submit(context.__exit__, None, None, None).result()


def at_signals(handler: Handler) -> None:
    """Sets the handler of all signals that end a program; ``nohup`` stays in force."""
    for number in SIGNALS:
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue
        signal.signal(number, handler)


def end_at_once(folder: Path) -> Handler:
    """Returns a handler that ends this program and all that it started.

    Args:
        folder: Ray's folder, which the handler removes.
    """

    def end(number: int, _: Any) -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # Ray reports each lost process
        end_children()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(128 + number)

    return end


def leave(number: int, _: Any) -> None:
    """Ends the program after it has left a cluster."""
    raise SystemExit(128 + number)


def end_children() -> None:
    """Ends every process that this one has started, and theirs."""
    while children := living_children():
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(children, 1)


def living_children() -> list[psutil.Process]:
    """Returns the processes below this one, except those that have ended."""
    with suppress(psutil.NoSuchProcess):
        below = psutil.Process().children(recursive=True)
        return [child for child in below if child.status() != psutil.STATUS_ZOMBIE]
    return living_children()  # one ended in between

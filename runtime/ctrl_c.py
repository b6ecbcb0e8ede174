"""What Ctrl-C does.

``early.py`` lets it end the course's programs at once, by the system's own action: a
KeyboardInterrupt inside an import or inside MAX's code would end in a traceback or a
crash. The few places that have something to do on Ctrl-C say so with this module.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from runtime.early import end
from runtime.flags import Flag
from runtime.plain_max import plain_max


@contextmanager
def interruptible() -> Iterator[None]:
    """Lets Ctrl-C end the process; Python's handler cannot run while MAX compiles."""
    if plain_max() or not in_main_thread():
        yield
        return
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


@contextmanager
def stoppable(*signals: signal.Signals) -> Iterator[None]:
    """Lets a signal raise KeyboardInterrupt(NUMBER) once, and then act as usual.

    Args:
        signals: the signals; without any, it is SIGINT, which Ctrl-C sends.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, usual[number])
        raise KeyboardInterrupt(number)

    numbers = [n for n in signals or [signal.SIGINT] if not ignored(n)]
    usual = {int(n): signal.getsignal(n) for n in numbers if in_main_thread()}
    try:
        for number in usual:
            signal.signal(number, stop)
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def leave_on_ctrl_c(tidy: Callable[[], None] = lambda: None) -> None:
    """Lets Ctrl-C end the process with exit code 0: it is the command's usual end.

    Args:
        tidy: is called before this end, and before SIGTERM or SIGHUP act as usual.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        tidy()
        if number == signal.SIGINT:
            if os.isatty(2):
                os.write(2, b"\n")  # the terminal has printed ^C
            os._exit(0)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if not ignored(number):
            signal.signal(number, leave)


def raise_on_ctrl_c() -> None:
    """Lets Ctrl-C raise KeyboardInterrupt again, as in other Python programs."""
    if signal.getsignal(signal.SIGINT) in (signal.SIG_DFL, end):
        signal.signal(signal.SIGINT, signal.default_int_handler)


def ignored(number: signal.Signals) -> bool:
    """Whether the process began with this signal ignored, as a script's jobs do."""
    return signal.getsignal(number) is signal.SIG_IGN


def in_main_thread() -> bool:
    """Whether this thread may change what signals do."""
    return threading.current_thread() is threading.main_thread()


@contextmanager
def noticed(*signals: signal.Signals) -> Iterator[Flag]:
    """Lets signals do nothing but raise a flag with their number.

    So no exception can come between two statements that belong together.

    Args:
        signals: the signals. One that is ignored stays ignored.
    """
    flag = Flag()

    def note(number: int, frame: FrameType | None) -> None:
        flag.rise(number)

    numbers = [n for n in signals if in_main_thread() and not ignored(n)]
    usual = {number: signal.signal(number, note) for number in numbers}
    try:
        yield flag
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        flag.close()

"""Lets Ctrl-C end the course's programs at once, from their first moments on.

Python imports this file when it starts in the course's environment: the line of
``early.pth`` in ``site-packages`` says so. No program can do this for itself: pytest
runs 0.2 s before it imports anything of ours, and Ctrl-C would print a traceback.
Other programs of the environment are not affected.
"""

import _signal  # signal would import enum first, and each moment counts
import os
import sys

PROGRAMS = {
    *("gpt2", "course", "book", "benchmarks", "runtime", "tests", "pytest"),
    *(f"s{number:02}" for number in range(1, 15)),
    *("tokenizer", "sampling", "beam-search", "kv-cache", "kernel"),
    *("speculative", "constrained", "contrastive", "llama"),
}


def program(arguments: list[str]) -> str:
    """Returns the name of the script or package that Python's arguments start."""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if argument == "-m":
            return following.partition(".")[0]
        if argument == "-c":
            break
        if not argument.startswith("-"):
            return os.path.basename(argument)
    return ""


def end(number: int, frame: object) -> None:
    """Ends this process, with the exit code that shells give for a signal."""
    os._exit(128 + number)


def end_on_signals() -> None:
    """Lets signals end this process, unless they are ignored, as in a script's job."""
    if _signal.getsignal(_signal.SIGINT) is not _signal.default_int_handler:
        return
    if os.getpid() != 1:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        return
    # The first process of a container: the system's own action does nothing there.
    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, end)


if program(sys.orig_argv[1:]) in PROGRAMS:
    end_on_signals()

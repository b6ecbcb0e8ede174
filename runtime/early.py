"""Lets Ctrl-C end the course's programs at once, from their first moments on.

Python imports this file when it starts in the course's environment: the line of
``early.pth`` in ``site-packages`` says so. No program can do this for itself: pytest
runs 0.2 s before it imports anything of ours, and Ctrl-C would print a traceback.
Other programs of the environment are not affected.
"""

import _signal  # signal would import enum first, and each moment counts
import sys
from os.path import basename

PROGRAMS = {
    *("gpt2", "course", "book", "benchmarks", "runtime", "tests", "pytest"),
    *(f"s{number:02}" for number in range(1, 15)),
    *("sampling", "beam-search", "kv-cache"),
}


def program(arguments: list[str]) -> str:
    """Returns the name of the script or package that Python's arguments start."""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if argument == "-m":
            return following.partition(".")[0]
        if argument == "-c":
            break
        if not argument.startswith("-"):
            return basename(argument)
    return ""


# A script's background jobs begin with SIGINT ignored; that stays.
usual = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
if usual and program(sys.orig_argv[1:]) in PROGRAMS:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

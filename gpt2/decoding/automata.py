"""Turns a regular expression into an automaton over bytes, in a process with limits.

Some short expressions have huge automata. The process keeps them from taking all of the
time and the memory.
"""

import io
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from signal import SIGXCPU

import numpy as np

from runtime.child_python import python_command
from runtime.children import run_child

RUN = "from gpt2.decoding.regular_expressions import main; main()"
SECONDS, MEMORY = 3, 2**30  # bytes
MOST_STATES = 512
TOO_LARGE = "the pattern is too large: {}"


class PatternError(Exception):
    """A pattern cannot be used; the message is a sentence without a full stop."""


@dataclass(frozen=True)
class Automaton:
    """A deterministic finite automaton over the bytes of UTF-8.

    Attributes:
        pattern: the regular expression; it describes whole texts.
        table: ``[S, 256]``, the next state after each byte, or -1. State 0 is first.
        accepting: bools ``[S]``, where a text may end.
    """

    pattern: str
    table: np.ndarray
    accepting: np.ndarray


@lru_cache(32)
def make_automaton(pattern: str) -> Automaton:
    """Makes the automaton of a pattern.

    The syntax is that of Python's ``re``, for the whole text: ``^`` and ``$`` may only
    stand around it. ``\\d``, ``\\s`` and ``\\w`` are those of ASCII.

    Raises:
        PatternError: the pattern cannot be read, or is too large.
    """
    limits = map(str, (SECONDS, MEMORY, MOST_STATES))
    try:
        done = run_child(
            python_command(RUN, *limits),
            input=pattern.encode(),
            capture_output=True,
            timeout=3 * SECONDS,  # the process itself stops earlier
        )
    except subprocess.TimeoutExpired:
        raise too_slow() from None
    if done.returncode == -SIGXCPU:
        raise too_slow()
    if done.returncode == 2:
        raise PatternError(done.stderr.decode())
    if done.returncode:
        raise PatternError(TOO_LARGE.format("its automaton needs too much memory"))
    with np.load(io.BytesIO(done.stdout)) as found:
        return Automaton(pattern, found["table"], found["accepting"])


def too_slow() -> PatternError:
    """Returns the error for an automaton that takes too long."""
    return PatternError(TOO_LARGE.format(f"its automaton takes over {SECONDS} seconds"))

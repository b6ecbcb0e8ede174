"""The process that turns a regular expression into an automaton over bytes.

The library's automata read characters. Each arrow for a range of characters becomes
arrows for the bytes of UTF-8, with states inside the characters.
"""

import re
import resource
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress

import numpy as np
from interegular import InvalidSyntax, Unsupported, parse_pattern
from interegular.fsm import FSM, anything_else

Range = tuple[int, int, int]  # first and last code point, and the state after them
Ranges = tuple[Range, ...]
# The characters with one to four bytes: the first and last one, and the first byte's
# highest bits. Surrogates, which are no characters, are left out.
LENGTHS = [
    (1, 0x00, 0x7F, 0x00),
    (2, 0x80, 0x7FF, 0xC0),
    (3, 0x800, 0xD7FF, 0xE0),
    (3, 0xE000, 0xFFFF, 0xE0),
    (4, 0x10000, 0x10FFFF, 0xF0),
]
NEXT_BYTE, BITS = 0x80, 6  # a further byte, and how much of the character it has
# What the library reads in another way than Python: it looks only for a match of the
# whole text. In the first, escapes and classes, which may have these signs.
ELSEWHERE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
CONTEXT = re.compile(r"\(\?<?[=!]|\(\?>|[*+?}]\+")


class BadPattern(Exception):
    """The message says what is wrong with a pattern."""


def main() -> None:
    """Reads a pattern from stdin and writes its arrays to stdout.

    The arguments are the limits of seconds, memory and states. The exit code is 2 for a
    bad pattern; stderr then has a sentence.
    """
    seconds, memory, states = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    with suppress(OSError, ValueError):  # not every system has this limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        fsm = read(sys.stdin.buffer.read().decode())
        table, accepting = over_bytes(fsm, states)
    except BadPattern as error:
        sys.stderr.write(str(error))
        sys.exit(2)
    np.savez(sys.stdout.buffer, table=table, accepting=accepting)


def read(pattern: str) -> FSM:
    """Makes the smallest automaton over characters; raises ``BadPattern``."""
    pattern = without_anchors(pattern)
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)  # its errors say more than the library's
        refuse_context(pattern)
        fsm = parse_pattern(pattern).to_fsm().reduce()
    except (re.error, OverflowError) as error:
        raise BadPattern(f"the pattern cannot be read: {error}") from None
    except (InvalidSyntax, Unsupported, NotImplementedError) as error:
        told = f": {error}" if str(error) else ""
        message = f"the pattern has a part that no automaton here can read{told}"
        raise BadPattern(message) from None
    except RecursionError:
        message = "the pattern is too large: its groups are too deep"
        raise BadPattern(message) from None
    if fsm.empty():
        raise BadPattern("no text matches the pattern")
    return fsm


def refuse_context(pattern: str) -> None:
    """Raises ``BadPattern`` for parts that depend on what stands around them."""
    if found := CONTEXT.search(ELSEWHERE.sub("_", pattern)):
        message = (
            f"no automaton here can look around or forget ways, as {found[0]} does"
        )
        raise BadPattern(message)


def without_anchors(pattern: str) -> str:
    """Removes ``^`` and ``$`` around a pattern, which is for the whole text anyway."""
    pattern = pattern.removeprefix("^")
    escaped = re.search(r"(?<!\\)(\\\\)*\\\$$", pattern)
    return pattern if escaped else pattern.removesuffix("$")


def over_bytes(fsm: FSM, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the table ``[S, 256]`` and the accepting states ``[S]``.

    Raises:
        BadPattern: there are more than ``most`` states.
    """
    rows, parts = ByteRows(most), list(alphabet(fsm))
    numbers = {state: rows.new() for state in in_order(fsm, parts)}
    for state, number in numbers.items():
        leads: dict = fsm.map.get(state, {})
        ranges = [(a, b, numbers[leads[key]]) for a, b, key in parts if key in leads]
        rows.fill(number, ranges)
    table = np.full([len(rows.rows), 256], -1, np.int16)
    for number, row in enumerate(rows.rows):
        table[number, list(row)] = list(row.values())
    accepting = [numbers[state] for state in fsm.finals]
    return table, np.isin(np.arange(len(table)), accepting)


def in_order(fsm: FSM, parts: list[Range]) -> list:
    """Returns the states in the order in which a search meets them.

    The library numbers them in another order each time.
    """
    found = {fsm.initial: None}
    waiting = [fsm.initial]
    for state in waiting:  # which grows meanwhile
        leads: dict = fsm.map.get(state, {})
        reached = [leads[key] for *_, key in parts if key in leads]
        waiting += [each for each in dict.fromkeys(reached) if each not in found]
        found |= dict.fromkeys(reached)
    return waiting


def alphabet(fsm: FSM) -> Iterator[Range]:
    """Yields ranges that cover all characters, each with its key in the automaton."""
    named = sorted((ord(c), k) for c, k in fsm.alphabet.items() if c != anything_else)
    rest, start = fsm.alphabet[anything_else], 0
    for code, key in [*named, (sys.maxunicode + 1, rest)]:
        if start < code:
            yield start, code - 1, rest
        if code <= sys.maxunicode:
            yield code, code, key
        start = code + 1


class ByteRows:
    """The rows of an automaton over bytes; equal ends of characters share states."""

    def __init__(self, most: int) -> None:
        self.rows: list[dict[int, int]] = []
        self._most = most
        self._inner: dict[tuple[int, Ranges], int] = {}

    def new(self) -> int:
        """Adds a row; returns its number. Raises ``BadPattern`` for one too many."""
        if len(self.rows) == self._most:
            message = f"the pattern is too large: it has over {self._most} states"
            raise BadPattern(message)
        self.rows.append({})
        return len(self.rows) - 1

    def fill(self, state: int, ranges: list[Range]) -> None:
        """Lets whole characters lead from a state to others."""
        for length, first, last, mark in LENGTHS:
            inside = joined((max(a, first), min(b, last), to) for a, b, to in ranges)
            bits = BITS * (length - 1)
            for place, rest in split(inside, bits).items():
                self.rows[state][mark + place] = self._after(rest, bits)

    def _after(self, ranges: Ranges, bits: int) -> int:
        """Returns the state in which ``bits`` bits of a character are missing."""
        if bits == 0:
            return ranges[0][2]
        if (bits, ranges) not in self._inner:
            number = self._inner[bits, ranges] = self.new()
            for place, rest in split(ranges, bits - BITS).items():
                self.rows[number][NEXT_BYTE + place] = self._after(rest, bits - BITS)
        return self._inner[bits, ranges]


def joined(ranges: Iterator[Range]) -> Ranges:
    """Leaves out empty ranges, and joins neighbours that lead to the same state."""
    found: list[Range] = []
    for first, last, to in ranges:
        if first > last:
            continue
        if found and found[-1][1:] == (first - 1, to):
            first = found.pop()[0]
        found.append((first, last, to))
    return tuple(found)


def split(ranges: Ranges, bits: int) -> Mapping[int, Ranges]:
    """Splits ranges by the bits above the lowest ``bits``, which the parts keep."""
    found: defaultdict[int, list[Range]] = defaultdict(list)
    size = 1 << bits
    for first, last, to in ranges:
        for place in range(first >> bits, (last >> bits) + 1):
            low, high = first - place * size, last - place * size
            found[place].append((max(low, 0), min(high, size - 1), to))
    return {place: tuple(parts) for place, parts in found.items()}

"""Makes the standard streams usable, whatever started the program.

Programs import this module first. Like ``course.foreign``, it imports only what Python
has loaded at its start.
"""

import codecs
import io
import os
import sys

TYPE_CHECKING = False  # the module typing could come from another folder
if TYPE_CHECKING:
    from typing import Any

ERRORS = "course.plain"  # this module's error handler, by name
NEEDED = ("encoding", "fileno", "flush", "isatty")  # by rich, click and pytest
NARROWEST = 20  # characters; narrower tables have lost all their text
# What an encoding without these characters shows instead.
PLAIN = {
    "✓": "+",
    "✗": "x",
    "○": "o",
    "●": "*",
    "·": "-",
    "…": "...",
    "–": "-",
    "−": "-",
    "─": "-",
    "━": "-",
    "│": "|",
    "█": "#",
    "→": "->",
    "↵": "|",
    "×": "x",
    "√": "sqrt ",
    "ε": "eps",
    "“": '"',
    "”": '"',
    "’": "'",
    "✅": "+",
    "❌": "x",
    "⬜": "o",
}


def mend_streams(*, go_on: bool = False) -> None:
    """Replaces standard streams that are closed, or that could raise while writing.

    A notebook's or an editor's own streams stay, and get what they lack.

    Args:
        go_on: do not end the program when standard output cannot be written.
    """
    occupy_descriptors()
    forget_senseless_width()
    codecs.register_error(ERRORS, plainly)
    if sys.stdin is None:
        put("stdin", null_device("r"))
    for name, kind in (("stdout", Output), ("stderr", Notes)):
        stream = getattr(sys, name) or null_device("w")
        if not all(hasattr(stream, needed) for needed in NEEDED):
            put(name, stream := Guest(stream))
        if type(stream) is io.TextIOWrapper:
            put(name, stream := kind(stream))
        if isinstance(stream, Output):
            stream.go_on = go_on


def put(name: str, stream: io.TextIOBase) -> None:
    """Puts a stream in the place of a standard one."""
    setattr(sys, name, stream)
    setattr(sys, f"__{name}__", stream)


def null_device(mode: str) -> io.TextIOWrapper:
    """Opens the null device as a stream that is never closed."""
    raw = io.FileIO(os.open(os.devnull, os.O_RDWR), mode, closefd=False)
    buffer = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, encoding="utf-8")


def occupy_descriptors() -> None:
    """Opens the null device in place of closed standard streams.

    Otherwise the next socket or file would get number 0, 1 or 2, and a child process,
    or C++ code that prints, would take it for a standard stream.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)


def forget_senseless_width() -> None:
    """Takes ``COLUMNS`` out of the environment if no report fits in that width."""
    width = os.environ.get("COLUMNS", "")
    if not (width.isdecimal() and len(width) < 6 and int(width) >= NARROWEST):
        os.environ.pop("COLUMNS", None)


def plainly(error: UnicodeError) -> tuple[str, int]:
    """Replaces what an encoding lacks by ASCII: an error handler of ``codecs``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(plain, error.object[error.start : error.end])), error.end


def plain(character: str) -> str:
    """Returns ASCII for a character: an escape such as ``\\u4e00`` for most."""
    if "\u2800" <= character <= "\u28ff":  # the dots of a spinner
        return "*"
    escape = character.encode("ascii", "backslashreplace").decode()
    return PLAIN.get(character, escape)


class Guest(io.TextIOBase):
    """A stream of a notebook or an editor that can do nothing but write.

    Args:
        stream: has ``write``.
    """

    encoding = "utf-8"

    def __init__(self, stream: "Any") -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Writes a text."""
        self.stream.write(text)
        return len(text)


class Output(io.TextIOWrapper):
    """Standard output, which tells with one sentence that it cannot be written.

    A closed pipe raises ``BrokenPipeError``, as usual: programs then end silently.

    Args:
        stream: the standard stream to replace; both write to the same file.

    Attributes:
        go_on: whether the program goes on after a failure.
        failed: whether something could not be written.
    """

    def __init__(self, stream: io.TextIOWrapper) -> None:
        stream.flush()
        super().__init__(
            io.BufferedWriter(io.FileIO(stream.fileno(), "w", closefd=False)),
            encoding=stream.encoding,
            errors=ERRORS,
            line_buffering=True,  # an error comes before the program's end
            write_through=stream.write_through,
        )
        self.go_on = self.failed = False

    def write(self, text: str) -> int:
        """Writes a text; what an earlier line could not write is lost."""
        try:
            return super().write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        """Writes what has been held back."""
        try:
            super().flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Says once that writing failed, and may end the program."""
        if isinstance(error, BrokenPipeError):
            raise error
        told = self.failed
        self._discard()
        message = f"✗ Standard output cannot be written: {error.strerror}."
        if not self.go_on:
            sys.exit(message)
        if not told:
            print(message, file=sys.stderr)

    def _discard(self) -> None:
        """Sends what is held back, and what follows, to the null device."""
        self.failed = True
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno())
        os.close(null)


class Notes(Output):
    """Standard error; nobody can be told that it cannot be written."""

    def _give_up(self, error: OSError) -> None:
        self._discard()

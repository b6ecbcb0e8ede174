"""A flag that ``select`` can wait for."""

import os
from contextlib import suppress


class Flag:
    """Is lowered at first. Raising it is safe in a signal's handler and in any thread.

    ``select.select`` takes it for a file that can be read once the flag is raised.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)

    def fileno(self) -> int:
        """Returns the descriptor that ``select`` waits for."""
        return self._reading

    def rise(self, number: int = 0) -> None:
        """Raises the flag, with a number from 0 to 255."""
        with suppress(OSError):  # raised often enough already, or closed
            os.write(self._writing, bytes([number]))

    def lower(self) -> int | None:
        """Lowers the flag; returns the first number with which it was raised, or None.

        None: it was not raised.
        """
        with suppress(BlockingIOError):
            return os.read(self._reading, 4096)[0]
        return None

    def close(self) -> None:
        """Gives the descriptors back."""
        for descriptor in (self._reading, self._writing):
            os.close(descriptor)

"""What a worker prints: the graded code's own output, and nothing else."""

import contextlib
import io
import os
import sys
from collections.abc import Buffer, Iterator
from typing import BinaryIO, cast


class WorkerOutput(io.RawIOBase):
    """Takes over Python's output streams; file descriptors 1 and 2 lead nowhere then.

    MAX writes graphs to these descriptors, and the learner has not printed them.

    Attributes:
        is_dropped: what is written now is not the graded code's, and is lost.
    """

    def __init__(self) -> None:
        self.is_dropped = False
        self.pipe = os.dup(1)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)
        os.close(nowhere)
        stream = io.TextIOWrapper(  # unbuffered, as PYTHONUNBUFFERED makes them
            cast(BinaryIO, self), "utf-8", "backslashreplace", write_through=True
        )
        sys.stdout = sys.stderr = stream

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Stays open: code that closes sys.stdout must not silence what runs later."""

    def fileno(self) -> int:
        return self.pipe

    def write(self, data: Buffer, /) -> int:
        size = memoryview(data).nbytes
        return size if self.is_dropped else os.write(self.pipe, data)

    @contextlib.contextmanager
    def dropped(self, drop: bool) -> Iterator[None]:
        """Drops what is printed meanwhile, if ``drop``."""
        self.is_dropped = drop
        try:
            yield
        finally:
            self.is_dropped = False

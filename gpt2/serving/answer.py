"""Passes a job's pieces from the scheduler's thread to an event loop."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from gpt2.serving.text import Piece, merge


class Answer:
    """Pieces of a job's texts: the scheduler adds pieces, one coroutine removes them.

    Args:
        rows: the number of texts.

    Attributes:
        gone: whether the client has stopped waiting for the answer.
    """

    def __init__(self, rows: int) -> None:
        self.gone = False
        self._open = rows  # number of texts that have not ended
        self._pieces: deque[Piece] = deque()
        self._error: BaseException | None = None
        self._loop = asyncio.get_running_loop()
        self._any = False
        self._started, self._done = asyncio.Event(), asyncio.Event()

    def add(self, piece: Piece) -> None:
        """Adds a piece; called in the scheduler's thread."""
        self._pieces.append(piece)
        self._open -= piece.finish is not None
        if not self._open:
            self._set(self._done)
        if not self._any:  # only once: waking the loop costs more than a token
            self._any = True
            self._set(self._started)

    def fail(self, error: BaseException) -> None:
        """Ends the answer with an error; called in the scheduler's thread."""
        self._error = error
        self._set(self._done)
        self._set(self._started)

    def _set(self, event: asyncio.Event) -> None:
        with suppress(RuntimeError):  # the event loop has ended
            self._loop.call_soon_threadsafe(event.set)

    async def follow(
        self, pause: Callable[[], float] | None
    ) -> AsyncGenerator[list[Piece]]:
        """Yields the pieces added so far: at the first token, then after pauses.

        Args:
            pause: returns the seconds to wait; None yields once, at the end.
        """
        await (self._started if pause else self._done).wait()
        while True:
            done = self._done.is_set()  # set after the last piece is added
            if done and self._error is not None:
                raise self._error
            if self._pieces:
                yield self._drain()
            if done or pause is None:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), pause())

    def _drain(self) -> list[Piece]:
        pieces = [self._pieces.popleft() for _ in range(len(self._pieces))]
        return merge(pieces)

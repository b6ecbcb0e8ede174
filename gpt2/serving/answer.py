"""What comes back for one job, from the scheduler's thread to an event loop."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from gpt2.serving.text import Piece, merge


class Answer:
    """Pieces of a job's texts: the scheduler adds them, one coroutine takes them out.

    Args:
        rows: how many texts there will be.

    Attributes:
        gone: set when nobody waits for it any more.
    """

    def __init__(self, rows: int) -> None:
        self.gone = False
        self._open = rows  # texts that have not ended
        self._pieces: deque[Piece] = deque()
        self._error: BaseException | None = None
        self._loop = asyncio.get_running_loop()
        self._any = False
        self._started, self._done = asyncio.Event(), asyncio.Event()

    def add(self, piece: Piece) -> None:
        """Takes a piece; called in the scheduler's thread."""
        self._pieces.append(piece)
        self._open -= piece.finish is not None
        if not self._open:
            self._set(self._done)
        if not self._any:  # not at every token: waking the loop costs more than one
            self._any = True
            self._set(self._started)

    def fail(self, error: BaseException) -> None:
        """Ends the answer; called in the scheduler's thread."""
        self._error = error
        self._set(self._done)
        self._set(self._started)

    def _set(self, event: asyncio.Event) -> None:
        with suppress(RuntimeError):  # the event loop has ended: nobody waits
            self._loop.call_soon_threadsafe(event.set)

    async def follow(
        self, pause: Callable[[], float] | None
    ) -> AsyncGenerator[list[Piece]]:
        """Yields what has accumulated: at the first token, then after pauses.

        Args:
            pause: how many seconds to wait; None yields once, at the end.
        """
        await (self._started if pause else self._done).wait()
        while True:
            done = self._done.is_set()  # what it ended with is there by then
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

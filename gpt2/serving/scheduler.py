"""The scheduler: one thread that decodes all jobs, behind a bounded queue."""

import logging
import threading
from collections import deque
from collections.abc import AsyncGenerator, Iterable

from gpt2.checkpoint.tokenizer import Tokenizer
from gpt2.serving.answer import Answer
from gpt2.serving.batch import Batch, BatchEngine
from gpt2.serving.text import Job, Piece, Text, texts

# Each message passes through several processes. So with many texts, messages are fewer
# and longer. The first token of each job is sent at once.
SHORTEST = 0.05  # seconds between two messages of a job
MOST_MESSAGES = 30  # a second, of all texts together


class QueueFull(Exception):
    """The queue has no room for the job now."""


class Scheduler:
    """Decodes the texts of all jobs, as many at once as the batch holds.

    Args:
        engine: the model; only the scheduler's thread uses it.
        tokenizer: turns tokens into text.
        batch: the number of texts decoded together.
        queue: the number of texts that may wait.
    """

    def __init__(
        self, engine: BatchEngine, tokenizer: Tokenizer, *, batch: int, queue: int
    ) -> None:
        self._engine, self._tokenizer = engine, tokenizer
        self._size, self._room = batch, batch + queue
        self._batch = Batch(engine, self._deliver, self._fail)
        self._waiting: deque[Text] = deque()
        self._answers: dict[Text, Answer] = {}  # for every text that has not ended
        self._change, self._closed = threading.Condition(), False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    @property
    def load(self) -> int:
        """The number of texts that are being written or wait."""
        return len(self._answers)

    async def stream(self, job: Job, live: bool = True) -> AsyncGenerator[list[Piece]]:
        """Yields the pieces of a job; closing the generator cancels the job.

        Args:
            job: the texts to write.
            live: yield pieces from time to time, not only once at the end.

        Raises:
            QueueFull: the queue has no room; raised before any piece.
        """
        answer = Answer(job.rows)
        self._submit(job, answer)
        try:
            async for pieces in answer.follow(self._pause if live else None):
                yield pieces
        finally:
            answer.gone = True

    def close(self) -> None:
        """Ends the thread after the current token."""
        with self._change:
            self._closed = True
            self._change.notify()
        self._thread.join()

    def _pause(self) -> float:
        """Seconds from one message of a job to the next."""
        return max(SHORTEST, self.load / MOST_MESSAGES)

    def _submit(self, job: Job, answer: Answer) -> None:
        with self._change:
            if self.load + job.rows > self._room:
                raise QueueFull
            new = list(texts(job, self._tokenizer))
            self._waiting.extend(new)
            self._answers.update(dict.fromkeys(new, answer))
            self._change.notify()

    def _run(self) -> None:
        while self._work():
            try:
                self._batch.change(self._answers.__contains__, self._admitted())
                if self._batch.texts:
                    self._batch.step()
            except Exception as error:
                logging.getLogger(__name__).exception("the batch was lost")
                self._lose(error)

    def _work(self) -> bool:
        """Drops cancelled texts and waits for work; returns False after ``close``."""
        with self._change:
            for text in [text for text, a in self._answers.items() if a.gone]:
                del self._answers[text]
            self._change.wait_for(lambda: self._closed or self._answers)
            return not self._closed

    def _admitted(self) -> list[Text]:
        """Removes as many texts from the queue as the batch has room for."""
        with self._change:
            waiting = [text for text in self._waiting if text in self._answers]
            going = sum(text in self._answers for text in self._batch.texts)
            room = self._size - going
            self._waiting = deque(waiting[room:])
        return waiting[:room]

    def _deliver(self, text: Text, piece: Piece) -> None:
        with self._change:
            answer = self._answers[text]
            if piece.finish:
                del self._answers[text]
        answer.add(piece)

    def _fail(self, text: Text, error: Exception) -> None:
        """Ends a text's job with the error; all others go on."""
        logging.getLogger(__name__).error("a text was lost", exc_info=error)
        self._end([self._answers[text]], error)

    def _lose(self, error: Exception) -> None:
        """Ends the jobs in the batch with the error, and starts with an empty batch."""
        with self._change:
            waiting = set(self._waiting)
            lost = {a for text, a in self._answers.items() if text not in waiting}
            self._batch = Batch(self._engine, self._deliver, self._fail)
        self._end(lost, error)

    def _end(self, answers: Iterable[Answer], error: Exception) -> None:
        for answer in answers:
            answer.gone = True  # the job's other texts leave, too
            answer.fail(error)

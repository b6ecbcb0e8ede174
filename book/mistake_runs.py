"""Runs the embedded model with wrong steps, in worker processes.

A worker runs ``book.wrong_step``. Wrong code may crash Python, or never end: then the
worker ends, and another one goes on.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import islice
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np

from book import held_out, play
from book.figures._words import quoted
from book.figures.when_it_goes_wrong import COUNT, PROMPT
from book.held_out import PerToken
from book.pages import BookError
from course.messages import Call, Load
from course.process import Stopped, WorkerProcess

STORIES = 12
WORKERS = 2
LIMIT = 60.0  # seconds for one step; usual are two


class Outcome(NamedTuple):
    """What a model does.

    Attributes:
        loss: its loss on ``stories()``; None if it computes none.
        text: what it writes after ``PROMPT``, or why it writes nothing.
    """

    loss: PerToken | None
    text: str


class WrongModels:
    """Runs the embedded model with wrong steps, one after the other.

    Args:
        limit: the most seconds for one of them.
    """

    def __init__(self, limit: float = LIMIT) -> None:
        self.limit = limit
        self._worker: WorkerProcess | None = None
        self._module = 0

    def run(self, key: str, source: str) -> Outcome:
        """Runs the model; one step is a given text, and an empty one is the solution.

        Raises:
            BookError: the worker does not start.
        """
        given = key, source, stories(), play.encode(PROMPT), COUNT
        worker = self._worker or self._start()
        try:
            reply = worker.ask(Call(self._module, "run", given, {}), self.limit)
        except Stopped as error:
            self.close()
            return Outcome(None, str(error).split(". ")[0].rstrip("."))
        if reply.failure:  # such as SystemExit
            return Outcome(None, f"`{reply.failure.type_name}`")
        return outcome(reply.value)

    def _start(self) -> WorkerProcess:
        self._worker = WorkerProcess()
        reply = self._worker.ask(Load("book.wrong_step"), limit=300)
        if reply.failure:
            raise BookError(f"book/wrong_step.py fails: {reply.failure.message}")
        self._module = reply.value.id
        return self._worker

    def close(self) -> None:
        """Ends the worker."""
        if self._worker:
            self._worker.close()
        self._worker = None


def stories() -> list[list[int]]:
    """The ids of the first held-out stories that the model can read as a whole."""
    most = play.checkpoint().config.n_positions
    whole = (ids for ids in held_out.token_ids() if len(ids) <= most)
    return list(islice(whole, STORIES))


def outcome(result: dict[str, Any]) -> Outcome:
    """The outcome of ``book.wrong_step.run``."""
    if "error" in result:
        return Outcome(None, result["error"])
    if not np.isfinite(result["sums"]).all():
        return Outcome(None, "the logits are NaN")
    tokens = np.array([len(ids) - 1 for ids in stories()])
    text = quoted(play.checkpoint().tokenizer.decode(result["ids"]))
    return Outcome(PerToken(np.array(result["sums"]), tokens), f"… {text}")


def run_all(jobs: Sequence[tuple[str, str]]) -> list[Outcome]:
    """Runs the model with each of some steps, given by key and text."""
    idle: SimpleQueue[WrongModels] = SimpleQueue()

    def run(job: tuple[str, str]) -> Outcome:
        models = idle.get()
        try:
            return models.run(*job)
        finally:
            idle.put(models)

    with ExitStack() as stack:
        for _ in range(WORKERS):
            idle.put(stack.enter_context(closing(WrongModels())))
        pool = stack.enter_context(ThreadPoolExecutor(WORKERS))
        return list(pool.map(run, jobs))

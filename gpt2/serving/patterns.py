"""Prepares the patterns of requests, one at a time and apart from everything else."""

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from gpt2.checkpoint.loading import Checkpoint
from gpt2.decoding.automata import make_automaton
from gpt2.decoding.matching import Constraint, make_constraint
from gpt2.serving.scheduler import QueueFull

MOST_WAITING, MOST_KEPT = 8, 32


class Patterns:
    """Makes constraints for a model's vocabulary, and keeps the latest.

    Neither the scheduler's process nor the thread that answers clients does this work:
    a process with limits makes the automaton, and a thread the rest.

    Args:
        checkpoint: used for the number of logits and the tokenizer.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._pool = ThreadPoolExecutor(1, "patterns")
        self._waiting = 0
        self._kept: OrderedDict[str, Constraint] = OrderedDict()

    async def constraint(self, pattern: str) -> Constraint:
        """Returns the constraint of a pattern.

        Raises:
            PatternError: the pattern cannot be used.
            QueueFull: too many other patterns wait.
        """
        if pattern not in self._kept:
            self._kept[pattern] = await self._made(pattern)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(pattern)
        return self._kept[pattern]

    async def _made(self, pattern: str) -> Constraint:
        """Makes a constraint in the thread, when its turn comes."""
        if self._waiting == MOST_WAITING:
            raise QueueFull
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._make, pattern)
        finally:
            self._waiting -= 1

    def _make(self, pattern: str) -> Constraint:
        """Makes a constraint; raises ``PatternError``."""
        tokenizer, size = self._checkpoint.tokenizer, self._checkpoint.config.vocab_size
        constraint = make_constraint(
            make_automaton(pattern), tokenizer.token_bytes, tokenizer.end_ids, size
        )
        constraint.check()
        return constraint

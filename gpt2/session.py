"""What both commands share: a model opened with a strategy, and a run shown."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from gpt2.checkpoints import Checkpoint
from gpt2.generation import Step, Strategy, generate
from gpt2.opening import open_engine
from gpt2.output import Run, note, write
from gpt2.step_table import StepTable


class Session:
    """An opened model that writes with one strategy and one source of randomness.

    Args:
        checkpoint: the model.
        mine: run the learner's model with the checkpoint's weights.
        cache: keep keys and values between tokens.
        seed: None takes a new one.
        strategy: the fields of ``Strategy``.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        mine: bool,
        cache: bool,
        seed: int | None,
        **strategy: Any,
    ) -> None:
        self.tokenizer = checkpoint.tokenizer
        self.strategy = Strategy(**strategy)
        self.seed = secrets.randbelow(1_000_000) if seed is None else seed
        self._rng = np.random.default_rng(self.seed)
        self._engine = open_engine(checkpoint, mine=mine, cache=cache, on_compile=note)

    def steps(self, ids: Sequence[int], count: int) -> Iterator[Step]:
        """Continues ``ids`` by up to ``count`` tokens."""
        return generate(
            self._engine,
            ids,
            self.strategy,
            self._rng,
            max_new_tokens=count,
            end_of_text_id=self.tokenizer.end_of_text_id,
        )

    def description(self) -> dict[str, Any]:
        """Returns what is needed to repeat a run."""
        if self.strategy.greedy:
            penalty = self.strategy.repetition_penalty
            return {"name": "greedy", "repetition_penalty": penalty}
        return {"name": "sampling", **asdict(self.strategy), "seed": self.seed}


def show(
    run: Run,
    steps: Iterable[Step],
    *,
    live: bool = True,
    table: StepTable | None = None,
) -> bool:
    """Shows steps as they come; returns whether Ctrl-C stopped them.

    Args:
        run: takes in what is written.
        steps: from ``Session.steps``.
        live: write the new text to stdout while it is made.
        table: gets every step as a row.
    """
    interrupted = False
    try:
        for step, piece in run.follow(steps):
            if table:
                table.add(step)
            if live:
                write(piece)
    except KeyboardInterrupt:
        interrupted = True
    rest = run.finish()
    if live:
        write(f"{rest}\n")
    return interrupted

"""Chooses tokens with a learner's code: step 14's loop, and the encores.

``gpt2.learner.borrowing`` decides which of them come from the solutions.
"""

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from gpt2.decoding.errors import NoNumbersError
from gpt2.decoding.generation import (
    COLDEST,
    SHOWN,
    Chooser,
    Step,
    Strategy,
    choose,
)
from gpt2.learner.borrowing import Borrowed
from gpt2.learner.step_errors import blame_steps

FILTERED = (
    "a filter is on, so the sampling encore chooses; your step 14 chooses with "
    "--greedy, or with --top-p 1 and no other filter"
)


SPECULATING = (
    "with --draft, the encores on sampling and on speculative decoding choose the "
    "tokens, and your step 14 has no part"
)


def imported(name: str) -> Any:
    """Imports a module of ``steps``: the learner's, or a borrowed one.

    Raises:
        LearnerError: the learner's file cannot be imported.
    """
    with blame_steps():
        return import_module(f"steps.{name}")


class OwnDecoding:
    """The loop and the encores of ``steps``, each the learner's or borrowed.

    Args:
        borrowed: what ``import steps`` gives.
        note: gets a sentence, once, if the learner's step 14 has no part in the text.
    """

    def __init__(self, borrowed: Borrowed, note: Callable[[str], None]) -> None:
        self._borrowed, self._note, self._told = borrowed, note, False

    def chooser(self, strategy: Strategy, *, look: bool) -> Chooser:
        """Returns what chooses each token of a text; with ``look``, it says how likely.

        Step 14 has no filters: the sampling encore chooses where a filter is on. It
        also chooses while step 14 is borrowed, because that is faster.

        Raises:
            LearnerError: the learner's file cannot be imported.
        """
        loop = not strategy.filtered and "s14" not in self._borrowed.borrowed
        if loop and not look:
            return OwnLoop()
        if strategy.filtered and "s14" in self._borrowed.own and not self._told:
            self._told = True
            self._note(FILTERED)
        sampling = imported("encore_sampling")
        return OwnLoop(sampling) if loop else partial(choose, sampling=sampling)

    def speculative(self) -> tuple[Any, Any]:
        """Returns the modules of the encores on speculative decoding and on sampling.

        Raises:
            LearnerError: a learner's file cannot be imported.
        """
        if "s14" in self._borrowed.own:
            self._note(SPECULATING)
        return imported("encore_speculative"), imported("encore_sampling")

    @property
    def beam_search(self) -> Any:
        """The function of the beam-search encore.

        Raises:
            LearnerError: the learner's file cannot be imported.
        """
        return imported("encore_beam_search").beam_search

    @property
    def constrained(self) -> Any:
        """The module of the encore on constrained decoding.

        Raises:
            LearnerError: the learner's file cannot be imported.
        """
        return imported("encore_constrained")

    @property
    def contrastive_logits(self) -> Any:
        """The function of the encore on contrastive decoding.

        Raises:
            LearnerError: the learner's file cannot be imported.
        """
        return imported("encore_contrastive").contrastive_logits


class OwnLoop:
    """Chooses tokens with step 14's ``generate_tokens``, asked for one at a time.

    One call for each token gives the text of one call for all tokens, because step 14
    keeps nothing between tokens but ``rng``. And the text can be shown as it grows.

    Args:
        sampling: shows probabilities; None shows none.
    """

    def __init__(self, sampling: ModuleType | None = None) -> None:
        self._sampling = sampling
        self._step = imported("step_14")

    def __call__(
        self,
        logits: np.ndarray,
        ids: Sequence[int],
        strategy: Strategy,
        rng: np.random.Generator,
    ) -> Step:
        """Chooses the token that follows ``ids``, given the model's logits ``[V]``.

        Raises:
            LearnerError: step 14 does not run, or returns no text.
            NoNumbersError: no token has a finite highest logit.
        """
        if not np.isfinite(logits.max()):
            raise NoNumbersError
        with blame_steps("step_14"):
            token = next_id(self._step, logits, ids, strategy, rng)
        if self._sampling is None:
            return Step(token)
        probabilities = strategy.probabilities(logits, ids, self._sampling)
        best = self._sampling.top_tokens(probabilities, SHOWN)
        return Step(token, float(probabilities[token]), best)


def next_id(
    step: Any,
    logits: np.ndarray,
    ids: Sequence[int],
    strategy: Strategy,
    rng: np.random.Generator,
) -> int:
    """Returns the token that a learner's step 14 writes after ``ids``.

    Step 14 calls its model with the whole text. The logits of earlier places, which it
    does not need, are 0.

    Raises:
        ValueError: step 14 returns something else than the text and one token more.
    """
    from max.experimental.tensor import Tensor

    from runtime.defaults import on_the_cpu
    from runtime.direct.operations import direct_operations
    from runtime.plain_max import plain_max

    def model(input_ids: Any) -> Any:
        scores = np.zeros([1, int(input_ids.shape[1]), len(logits)], np.float32)
        scores[0, -1] = logits
        return Tensor.from_dlpack(scores)

    with on_the_cpu() if plain_max() else direct_operations():
        text = Tensor.from_dlpack(np.array([ids], dtype=np.int64))
        temperature = strategy.temperature and max(strategy.temperature, COLDEST)
        longer = step.generate_tokens(
            model, text, 1, temperature, not strategy.greedy, rng=rng
        ).to_numpy()
    if longer.shape != (1, len(ids) + 1) or not 0 <= longer[0, -1] < len(logits):
        raise ValueError("generate_tokens returned no text with one more token")
    return int(longer[0, -1])

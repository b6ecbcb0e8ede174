"""Runs the encore's beam search on an engine, with all beams in one batch."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from gpt2.decoding.generation import SHOWN, Step, TokenEngine
from gpt2.decoding.settings import BeamSettings
from solutions.encore_sampling import softmax, top_tokens


class Beams(BeamSettings):
    """The settings of a beam search."""

    def describe(self) -> dict[str, Any]:
        """Returns the settings that repeat this search."""
        return {"name": "beam search", **asdict(self)}


class Continuations:
    """Computes logits for texts of equal length, and reuses the engine's cache.

    A beam search usually asks for beams that it kept, each one token longer. The
    engine then reads only the new tokens. It reads any other texts from the start.

    Args:
        engine: the model.
        end_ids: the tokens that end a text. The search knows one end, so the first of
            them gets the probability of all.
    """

    def __init__(self, engine: TokenEngine, end_ids: Sequence[int] = ()) -> None:
        self._engine, self._end_ids = engine, list(end_ids)
        self._texts = np.empty([0, 0], dtype=np.int64)

    def __call__(self, ids: np.ndarray) -> np.ndarray:
        """Returns the next token's logits ``[N, V]`` for ids ``[N, T]``."""
        ids = np.array(ids, dtype=np.int64)
        parents = self._parents(ids)
        self._texts = ids
        if parents is None:
            return self._with_one_end(self._engine.prefill(ids))
        if parents != list(range(len(parents))):
            self._engine.select(parents)
        return self._with_one_end(self._engine.decode(ids[:, -1]))

    def _with_one_end(self, logits: np.ndarray) -> np.ndarray:
        """Returns logits ``[N, V]`` in which only the first end can be chosen."""
        if len(self._end_ids) < 2:
            return logits
        merged = logits.copy()
        merged[:, self._end_ids] = -np.inf
        ends = np.logaddexp.reduce(logits[:, self._end_ids], axis=1)
        merged[:, self._end_ids[0]] = ends
        return merged

    def _parents(self, ids: np.ndarray) -> list[int] | None:
        """Returns each text's old row; None unless every text is one token longer."""
        if ids.shape[1] != self._texts.shape[1] + 1:
            return None
        same = (ids[:, None, :-1] == self._texts).all(axis=-1)  # [N, rows before]
        return same.argmax(axis=1).tolist() if same.any(axis=1).all() else None


def replay(
    engine: TokenEngine, prompt_ids: Sequence[int], new_ids: Sequence[int]
) -> Iterator[Step]:
    """Yields the steps of an existing text, with the model's probabilities."""
    ids = list(prompt_ids)
    for number, token in enumerate(new_ids):
        fresh = np.array(ids if number == 0 else ids[-1:], dtype=np.int64)
        logits = engine.prefill(fresh[None]) if number == 0 else engine.decode(fresh)
        probabilities = softmax(logits[0].astype(np.float64))
        best = top_tokens(probabilities, SHOWN)
        yield Step(token, float(probabilities[token]), best)
        ids.append(token)

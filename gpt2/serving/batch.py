"""A batch that texts can join and leave between two tokens.

Source: Yu et al. 2022, "Orca: A Distributed Serving System for Transformer-Based
Generative Models", section 3, S1 (iteration-level scheduling).
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Protocol

import numpy as np

from gpt2.engine.cache import Cache, gather
from gpt2.serving.text import Piece, Text

Deliver = Callable[[Text, Piece], None]
Fail = Callable[[Text, Exception], None]


class BatchEngine(Protocol):
    """The interface that a batch needs from an engine."""

    def empty_cache(self, rows: int) -> Cache:
        """Returns an empty cache for ``rows`` texts."""

    def extend(self, cache: Cache, ids: np.ndarray) -> np.ndarray:
        """Adds tokens ``[B, T]`` to a cache's texts; returns logits ``[B, V]``."""


class Batch:
    """Texts of different lengths that share each run of the model.

    Args:
        engine: the model.
        deliver: gets every new piece of every text.
        fail: gets every text that alone cannot be continued, with the error.
    """

    def __init__(self, engine: BatchEngine, deliver: Deliver, fail: Fail) -> None:
        self.texts: list[Text] = []
        self._engine, self._deliver, self._fail = engine, deliver, fail
        self._cache = engine.empty_cache(0)

    def change(self, wanted: Callable[[Text], bool], new: Sequence[Text]) -> None:
        """Removes texts that are finished or not wanted, and adds new texts.

        Each new prompt is read separately. Equal prompts in a row are read once.
        """
        rows = [
            row
            for row, text in enumerate(self.texts)
            if not text.finished and wanted(text)
        ]
        if len(rows) == len(self.texts) and not new:
            return
        self.texts, parts = [self.texts[row] for row in rows], [(self._cache, rows)]
        for prompt, group in groupby(new, key=lambda text: text.ids.copy()):
            cache = self._engine.empty_cache(1)
            going = self._read(cache, prompt, list(group))
            parts.append((cache, [0] * len(going)))
            self.texts += going
        self._cache = gather(parts)  # copies every row once

    def _read(
        self, cache: Cache, prompt: Sequence[int], group: Sequence[Text]
    ) -> list[Text]:
        """Reads the prompt of a group of texts; returns the texts that continue."""
        try:
            (logits,) = self._engine.extend(cache, np.array([prompt]))
        except Exception as error:  # concerns these texts, but nobody else
            for text in group:
                self._fail(text, error)
            return []
        return [text for text in group if self._take(text, logits)]

    def step(self) -> None:
        """Adds one token to every text."""
        last = np.array([[text.ids[-1]] for text in self.texts])
        logits = self._engine.extend(self._cache, last)
        for text, scores in zip(self.texts, logits, strict=True):
            self._take(text, scores)

    def _take(self, text: Text, logits: np.ndarray) -> bool:
        """Delivers a text's next token; returns whether the text continues."""
        try:
            piece = text.take(logits)
        except Exception as error:  # concerns this text, but not its neighbours
            text.finished = True
            self._fail(text, error)
        else:
            self._deliver(text, piece)
        return not text.finished

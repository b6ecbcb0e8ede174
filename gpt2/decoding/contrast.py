"""Contrasts two engines that read the same text, as contrastive decoding does."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np

from gpt2.decoding.generation import TokenEngine
from gpt2.decoding.settings import ContrastSettings

type Contrast = Callable[..., np.ndarray]  # the encore's contrastive_logits


class ContrastingEngine:
    """Makes the logits of two engines one engine's.

    Everything that chooses tokens works on the new logits as on a model's.

    Args:
        expert: the model that writes.
        amateur: a weaker model with the same vocabulary.
        settings: alpha and beta.
        contrast: the encore's ``contrastive_logits``.
    """

    def __init__(
        self,
        expert: TokenEngine,
        amateur: TokenEngine,
        settings: ContrastSettings,
        contrast: Contrast,
    ) -> None:
        self._expert, self._amateur = expert, amateur
        self._settings, self._contrast = asdict(settings), contrast

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts new texts with ids ``[B, T]``; returns the next logits ``[B, V]``."""
        return self._rows(self._expert.prefill(ids), self._amateur.prefill(ids))

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Appends one token of ids ``[B]`` to every text; returns logits ``[B, V]``."""
        return self._rows(self._expert.decode(ids), self._amateur.decode(ids))

    def continue_from(self, length: int, ids: np.ndarray, count: int) -> np.ndarray:
        """Keeps ``length`` tokens of each text and appends ids ``[B, T]``.

        Returns:
            ``[B, count, V]``, the logits after each of the last ``count`` tokens.
        """
        expert = self._expert.continue_from(length, ids, count)
        amateur = self._amateur.continue_from(length, ids, count)
        return np.stack(list(map(self._rows, expert, amateur)))

    def select(self, rows: Sequence[int]) -> None:
        """Keeps only these rows of the batch, in this order; rows may repeat."""
        self._expert.select(rows)
        self._amateur.select(rows)

    def _rows(self, expert: np.ndarray, amateur: np.ndarray) -> np.ndarray:
        """Contrasts logits ``[N, V]`` row by row."""
        pairs = zip(expert, amateur, strict=True)
        return np.stack([self._contrast(*pair, **self._settings) for pair in pairs])

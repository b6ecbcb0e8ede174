"""Models for contrastive search; they run in the worker.

Nothing here needs MAX.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests import fakes
from tests.oracle import model as oracle

type Read = tuple[np.ndarray, np.ndarray]


@dataclass
class Reader:
    """A model that reads its logits and its hidden states from tables.

    Attributes:
        table: ``[R, V]``; row r has the logits after texts whose last id is r.
        vectors: ``[R, C]``; row r is the hidden state of the token r.
        whole_text: all tokens up to a place select its row instead.
    """

    table: np.ndarray
    vectors: np.ndarray
    whole_text: bool = False

    def __call__(self, ids: np.ndarray) -> Read:
        """Ids ``[N, T]`` to logits ``[N, V]`` and hidden states ``[N, T, C]``."""
        ids = two_axes(ids)
        rows = self.hashed(ids) if self.whole_text else ids
        return self.table[rows[:, -1]], self.vectors[rows]

    def hashed(self, ids: np.ndarray) -> np.ndarray:
        """A row ``[N, T]`` for each place, which depends on all tokens up to there."""
        rows, row = np.empty_like(ids), np.zeros_like(ids[:, 0])
        for place, column in enumerate(ids.T):
            row = (row * 31 + column + 1) % len(self.table)
            rows[:, place] = row
        return rows


class GoldenReader(fakes.GoldenModel):
    """A checkpoint of the golden files, with its hidden states.

    Args:
        folder: ``config.json`` and ``model.safetensors`` as Hugging Face writes them.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.inner = {k.removeprefix("transformer."): w for k, w in self.state.items()}

    def __call__(self, ids: np.ndarray) -> Read:  # type: ignore[override]
        """Ids ``[N, T]`` to logits ``[N, V]`` and hidden states ``[N, T, C]``."""
        rows = [tuple(row) for row in two_axes(ids).tolist()]
        if new := sorted({row for row in rows if row not in self.known}):
            states = oracle.hidden_states(np.array(new), self.inner, *self.sizes)
            self.known |= zip(new, states, strict=True)
        states = np.array([self.known[row] for row in rows])
        return states[:, -1] @ self.inner["wte.weight"].T, states


def two_axes(ids: np.ndarray) -> np.ndarray:
    """Returns ids ``[N, T]`` as an array; raises TypeError for other shapes."""
    if np.ndim(ids) != 2:
        raise TypeError(f"the model takes ids [N, T], not {list(np.shape(ids))}")
    return np.asarray(ids)

"""The tokens whose rows of the token table point in the same direction."""

import numpy as np

from book import play

COUNT = 5


def directions(weights: play.Weights) -> np.ndarray:
    """The token table ``[V, C]`` with each row scaled to length 1."""
    table = weights["wte.weight"].astype(np.float64)
    return table / np.linalg.norm(table, axis=1, keepdims=True)


def nearest(
    table: np.ndarray, arrow: np.ndarray, without: set[int]
) -> list[tuple[str, float]]:
    """The tokens with the highest cosine similarity to a vector, best first.

    Args:
        table: the ``directions`` of a model's tokens, ``[V, C]``.
        arrow: the vector ``[C]``; not 0.
        without: ids that are left out.
    """
    cosines = table @ arrow / np.linalg.norm(arrow)
    order = [int(i) for i in np.argsort(-cosines) if i not in without]
    token = play.checkpoint().tokenizer.token
    return [(token(i), float(cosines[i])) for i in order[:COUNT]]

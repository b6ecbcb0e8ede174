"""Contrastive decoding and contrastive search in plain Python.

The encore's checker compares with it. Vectors are lists of floats.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, fsum, inf, sqrt

import numpy as np

Vector = Sequence[float]
Model = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def shares(logits: Vector) -> list[float]:
    """The probabilities ``[V]`` of logits ``[V]``."""
    top = max(logits)
    weights = [exp(x - top) for x in logits]
    total = fsum(weights)
    return [w / total for w in weights]


def contrasted(
    expert: Vector, amateur: Vector, alpha: float, beta: float
) -> list[float]:
    """The contrasted logits ``[V]``; -inf where a token is implausible."""
    chances = shares(expert)
    return [
        e + beta * (e - a) if p >= alpha * max(chances) else -inf
        for e, a, p in zip(expert, amateur, chances, strict=True)
    ]


def cosine(a: Vector, b: Vector) -> float:
    """The cosine of the angle between two vectors."""
    return dot(a, b) / sqrt(dot(a, a) * dot(b, b))


def dot(a: Vector, b: Vector) -> float:
    """The dot product of two vectors."""
    return fsum(x * y for x, y in zip(a, b, strict=True))


def penalty(candidate: Vector, context: Sequence[Vector]) -> float:
    """The largest cosine similarity of a candidate with a token of the context."""
    return max(cosine(candidate, state) for state in context)


@dataclass(frozen=True)
class Candidate:
    """A token that may come next.

    Attributes:
        token: its id.
        probability: among all tokens.
        penalty: its degeneration penalty.
        score: what decides.
    """

    token: int
    probability: float
    penalty: float
    score: float


def candidates(
    model: Model, ids: list[int], top_k: int, penalty_alpha: float
) -> list[Candidate]:
    """The candidates after a text, likeliest first. The model reads them one by one."""
    chances = shares(model(np.array([ids]))[0][0].tolist())
    order = sorted(range(len(chances)), key=lambda token: -chances[token])
    found = []
    for token in order[:top_k]:
        *context, last = model(np.array([[*ids, token]]))[1][0].tolist()
        repeated, chance = penalty(last, context), chances[token]
        score = (1 - penalty_alpha) * chance - penalty_alpha * repeated
        found.append(Candidate(token, chance, repeated, score))
    return found


def search(
    model: Model,
    prompt: list[int],
    *,
    top_k: int,
    penalty_alpha: float,
    max_new_tokens: int,
    eos_token_id: int | None = None,
) -> list[int]:
    """The text that contrastive search writes, prompt included."""
    ids = list(prompt)
    while len(ids) < len(prompt) + max_new_tokens:
        found = candidates(model, ids, top_k, penalty_alpha)
        ids.append(max(found, key=lambda candidate: candidate.score).token)
        if ids[-1] == eos_token_id:
            break
    return ids

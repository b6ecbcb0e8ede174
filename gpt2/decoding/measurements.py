"""Measures a model for the pictures: its entropy, and its time per token."""

from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple

import numpy as np

from gpt2.decoding.generation import TokenEngine
from solutions.encore_sampling import softmax


class Place(NamedTuple):
    """A place in a text: the ids before it and the next token's logits ``[V]``."""

    ids: list[int]
    logits: np.ndarray


def walk(engine: TokenEngine, ids: Sequence[int], count: int) -> list[Place]:
    """Continues ``ids`` with the likeliest tokens; returns ``count`` places."""
    logits = engine.prefill(np.array([ids], dtype=np.int64))[0]
    places = [Place(list(ids), logits)]
    while len(places) < count:
        token = int(logits.argmax())
        logits = engine.decode(np.array([token], dtype=np.int64))[0]
        places.append(Place([*places[-1].ids, token], logits))
    return places


def entropy(logits: np.ndarray) -> float:
    """Returns the entropy in bits: 0 if one token has all the probability.

    Source: Shannon 1948, "A Mathematical Theory of Communication", section 6.
    """
    chances = softmax(logits.astype(np.float64))
    chances = chances[chances > 0]
    return float(-(chances * np.log2(chances)).sum())


def peaked_and_flat(places: Sequence[Place]) -> tuple[Place, Place]:
    """Returns the places at the first and the third quartile of the entropy."""
    ordered = sorted(places, key=lambda place: entropy(place.logits))
    quarter = len(ordered) // 4
    return ordered[quarter], ordered[-1 - quarter]


def seconds_per_token(engine: TokenEngine, count: int, repeats: int = 3) -> list[float]:
    """Returns the seconds of a token after 1, 2, ... ``count`` tokens.

    Each value is a median of ``repeats`` runs, after one more run with cold caches.
    """
    runs = [_seconds(engine, count) for _ in range(repeats + 1)]
    return np.median(runs[1:], axis=0).tolist()


def _seconds(engine: TokenEngine, count: int) -> list[float]:
    """Times one run that repeats token 0: the time does not depend on the token."""
    token, seconds = np.zeros(1, dtype=np.int64), []
    engine.prefill(token[None])
    for _ in range(count):
        start = perf_counter()
        engine.decode(token)
        seconds.append(perf_counter() - start)
    return seconds

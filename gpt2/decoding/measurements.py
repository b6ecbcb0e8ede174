"""What the pictures show of a model: how sure it is, and how long a token takes."""

from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple

import numpy as np

from gpt2.decoding.generation import TokenEngine
from solutions.encore_sampling import softmax


class Place(NamedTuple):
    """A place in a text: the ids before it and the logits ``[V]`` of what follows."""

    ids: list[int]
    logits: np.ndarray


def walk(engine: TokenEngine, ids: Sequence[int], count: int) -> list[Place]:
    """Follows the likeliest tokens from the end of ``ids`` on: ``count`` places."""
    logits = engine.prefill(np.array([ids], dtype=np.int64))[0]
    places = [Place(list(ids), logits)]
    while len(places) < count:
        token = int(logits.argmax())
        logits = engine.decode(np.array([token], dtype=np.int64))[0]
        places.append(Place([*places[-1].ids, token], logits))
    return places


def entropy(logits: np.ndarray) -> float:
    """How unsure the model is, in bits: 0 where one token has all the probability.

    Source: Shannon 1948, "A Mathematical Theory of Communication", section 6.
    """
    chances = softmax(logits.astype(np.float64))
    chances = chances[chances > 0]
    return float(-(chances * np.log2(chances)).sum())


def peaked_and_flat(places: Sequence[Place]) -> tuple[Place, Place]:
    """The places at which the model is surer than at three of four, and at one."""
    ordered = sorted(places, key=lambda place: entropy(place.logits))
    quarter = len(ordered) // 4
    return ordered[quarter], ordered[-1 - quarter]


def seconds_per_token(engine: TokenEngine, count: int, repeats: int = 3) -> list[float]:
    """Seconds of a token after 1, 2, ... ``count`` others, the median of a few runs.

    The first run is left out: caches of the machine and of MAX are cold in it.
    """
    runs = [_seconds(engine, count) for _ in range(repeats + 1)]
    return np.median(runs[1:], axis=0).tolist()


def _seconds(engine: TokenEngine, count: int) -> list[float]:
    """One run, of the token 0 again and again: its time does not depend on it."""
    token, seconds = np.zeros(1, dtype=np.int64), []
    engine.prefill(token[None])
    for _ in range(count):
        start = perf_counter()
        engine.decode(token)
        seconds.append(perf_counter() - start)
    return seconds

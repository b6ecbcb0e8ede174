"""Encore: sampling, the filters between a model's logits and the drawn token.

Every filter takes logits ``[V]`` and returns new logits ``[V]`` in which what was
removed is -inf. The order is fixed: repetition penalty, temperature, top-k, top-p,
min-p, softmax, draw.
"""

from collections.abc import Sequence

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turns logits ``[V]`` into probabilities ``[V]``; -inf becomes exactly 0."""
    exponentials = np.exp(logits - logits.max())  # the largest is 1: nothing overflows
    return exponentials / exponentials.sum()


def apply_repetition_penalty(
    logits: np.ndarray, previous_ids: Sequence[int], penalty: float
) -> np.ndarray:
    """Makes every token that was already used less likely, once however often.

    Args:
        logits: ``[V]``.
        previous_ids: the ids of the prompt and of the text written so far.
        penalty: above 1 discourages repetition; 1 changes nothing.

    Source: Keskar et al. 2019, "CTRL", section 4.1. A negative logit is multiplied,
    since dividing it would make the token likelier.
    """
    seen = np.unique(np.asarray(previous_ids, dtype=np.int64))
    used = logits[seen]
    penalized = logits.copy()
    penalized[seen] = np.where(used < 0, used * penalty, used / penalty)
    return penalized


def temperature_scale(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Divides the logits ``[V]`` by the temperature; 0 leaves the likeliest alone.

    Of equally likely tokens, temperature 0 leaves the one with the lowest id.

    Source: Ackley, Hinton and Sejnowski 1985, "A Learning Algorithm for Boltzmann
    Machines", section 2.
    """
    if temperature == 0:
        return top_k_filter(logits, 1)
    return logits / temperature


def top_k_filter(logits: np.ndarray, k: int) -> np.ndarray:
    """Keeps the k highest logits of ``[V]``, of equals the lower ids; 0 keeps all.

    Source: Fan, Lewis and Dauphin 2018, "Hierarchical Neural Story Generation",
    section 5.4.
    """
    if k == 0:
        return logits.copy()
    return _keep(logits, _likeliest_first(logits)[:k])


def top_p_filter(logits: np.ndarray, p: float) -> np.ndarray:
    """Keeps the likeliest tokens of ``[V]`` until their probabilities reach p.

    A token stays while the probability of those before it is below p, so the one
    that crosses the line stays too. There is always at least one, and 1 keeps all.

    Source: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration",
    section 3.1.
    """
    if p == 1:  # a sum can round to 1 before its last tokens
        return logits.copy()
    order = _likeliest_first(logits)
    reached = softmax(logits)[order].cumsum()  # each token's own included
    return _keep(logits, order[: 1 + np.count_nonzero(reached < p)])


def min_p_filter(logits: np.ndarray, p: float) -> np.ndarray:
    """Keeps the tokens of ``[V]`` with at least p times the highest probability.

    Source: Nguyen et al. 2024, "Turning Up the Heat: Min-p Sampling for Creative
    and Coherent LLM Outputs", section 3.
    """
    probabilities = softmax(logits)
    return _keep(logits, np.flatnonzero(probabilities >= p * probabilities.max()))


def next_token_probabilities(
    logits: np.ndarray,
    previous_ids: Sequence[int] = (),
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    repetition_penalty: float = 1.0,
) -> np.ndarray:
    """Applies every filter in order: logits ``[V]`` to probabilities ``[V]``.

    The defaults change nothing. Temperature 0 gives the likeliest token all of it.
    """
    logits = apply_repetition_penalty(logits, previous_ids, repetition_penalty)
    logits = temperature_scale(logits, temperature)
    logits = top_k_filter(logits, top_k)
    logits = top_p_filter(logits, top_p)
    logits = min_p_filter(logits, min_p)
    return softmax(logits)


def top_tokens(probabilities: np.ndarray, count: int) -> list[tuple[int, float]]:
    """Lists the ``count`` likeliest of ``[V]`` as (id, probability), best first."""
    best = _likeliest_first(probabilities)[:count]
    return [(int(token), float(probabilities[token])) for token in best]


def sample(logits: np.ndarray, rng: np.random.Generator) -> int:
    """Draws one id from the distribution that the logits ``[V]`` stand for."""
    probabilities = softmax(logits.astype(np.float64))  # choice wants a sum of 1
    return int(rng.choice(len(probabilities), p=probabilities))


def _likeliest_first(values: np.ndarray) -> np.ndarray:
    """Orders the ids of ``[V]`` by falling value, equals by rising id."""
    return np.argsort(-values, kind="stable")


def _keep(logits: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Copies the logits at ``ids`` and sets all others to -inf."""
    kept = np.full_like(logits, -np.inf)
    kept[ids] = logits[ids]
    return kept

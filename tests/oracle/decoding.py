"""Beam search in plain Python. The encore's checker compares with it.

A text is a list of new ids with the sum of their log-probabilities.
"""

from collections.abc import Callable, Sequence
from math import exp, fsum, log

import numpy as np

Text = tuple[list[int], float]


def log_probabilities(logits: Sequence[float]) -> list[float]:
    """The log-probabilities ``[V]`` of logits ``[V]``, in float64."""
    top = max(logits)
    total = log(fsum(exp(x - top) for x in logits))
    return [x - top - total for x in logits]


def longer_texts(
    next_logits: Callable[[np.ndarray], np.ndarray], prompt: list[int], text: Text
) -> list[Text]:
    """The text with each token of the vocabulary appended."""
    ids, total = text
    logits = next_logits(np.array([prompt + ids]))[0].tolist()
    return [([*ids, i], total + x) for i, x in enumerate(log_probabilities(logits))]


def beam_search(
    next_logits: Callable[[np.ndarray], np.ndarray],
    prompt: list[int],
    *,
    num_beams: int,
    max_new_tokens: int,
    length_penalty: float = 1.0,
    eos_token_id: int | None = None,
) -> Text:
    """The best text with the prompt, and its score, as in Hugging Face's search."""

    def score(text: Text) -> float:
        return text[1] / len(text[0]) ** length_penalty

    def ends(text: Text) -> bool:
        return text[0][-1] == eos_token_id or len(text[0]) == max_new_tokens

    running: list[Text] = [([], 0.0)]
    done: list[Text] = []
    while running and not (
        len(done) == num_beams and score(running[0]) <= score(done[-1])
    ):
        pool = [t for r in running for t in longer_texts(next_logits, prompt, r)]
        pool = sorted(pool, key=lambda t: -t[1])[: 2 * num_beams]
        done += [t for t in pool[:num_beams] if ends(t)]
        done = sorted(done, key=score, reverse=True)[:num_beams]
        running = [t for t in pool if not ends(t)][:num_beams]
    return prompt + done[0][0], score(done[0])

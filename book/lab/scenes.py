"""Finds a place in the recorded texts for each of the lab's experiments.

Each experiment gets the place where its effect is largest, whatever the model.
"""

from typing import Any

import numpy as np

from book import play
from solutions.encore_beam_search import beam_search
from solutions.encore_sampling import softmax, temperature_scale, top_p_filter

HEAT, SHARE = 1.5, 0.9  # temperature and top-p of the experiment about order
BEAMS, TOKENS = 4, 8  # of the experiment about beams
GREEDY = 80  # tokens that the experiment about repetition writes
SEQUENCE = 4  # tokens in a sequence that counts as repeated


def find_scenes(paths: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Returns each scene's opening and its number of recorded steps."""
    logits = np.stack([path["logits"] for path in paths])  # [paths, steps, V]
    entropies = np.apply_along_axis(entropy, -1, logits)
    orders = np.apply_along_axis(order_matters, -1, logits)
    loops = [repeated_tokens(path["prompt"]) for path in paths]
    gains = [beam_gain(path["prompt"]) for path in paths]
    return {
        "loop": scene(np.argmax(loops)),
        "sure": scene(*np.unravel_index(entropies.argmin(), entropies.shape)),
        "unsure": scene(*np.unravel_index(entropies.argmax(), entropies.shape)),
        "order": scene(*np.unravel_index(orders.argmax(), orders.shape)),
        "beams": scene(np.argmax(gains)),
    }


def scene(opening: np.intp, steps: np.intp | int = 0) -> dict[str, int]:
    """A place in the recording."""
    return {"opening": int(opening), "steps": int(steps)}


def entropy(logits: np.ndarray) -> float:
    """The entropy of softmax of logits ``[V]``, in nats."""
    p = softmax(logits)
    return float(-(p * np.log(np.maximum(p, 1e-300))).sum())


def order_matters(logits: np.ndarray) -> int:
    """The number of tokens that top-p keeps more if temperature comes before it."""
    first = top_p_filter(temperature_scale(logits, HEAT), SHARE)
    last = top_p_filter(logits, SHARE)
    return int(np.isfinite(first).sum() - np.isfinite(last).sum())


def repeated_tokens(prompt: list[int]) -> int:
    """The number of tokens in a greedy text that end a repeated sequence of four."""
    ids = list(prompt)
    for _ in range(GREEDY):
        ids.append(int(play.logits(ids)[-1].argmax()))
    runs = [tuple(ids[i : i + SEQUENCE]) for i in range(len(ids) - SEQUENCE + 1)]
    return len(runs) - len(set(runs))


def next_logits(texts: np.ndarray) -> np.ndarray:
    """The logits ``[N, V]`` of the next token after each row of ids ``[N, T]``."""
    return np.array([play.logits(ids.tolist())[-1] for ids in texts])


def beam_gain(prompt: list[int]) -> float:
    """The log-probability of four beams' best text minus that of greedy's, in nats."""
    options: dict[str, Any] = {
        "max_new_tokens": TOKENS,
        "length_penalty": 0.0,  # the score is the sum itself
        "eos_token_id": play.checkpoint().tokenizer.end_of_text_id,
    }
    best, greedy = (
        beam_search(next_logits, prompt, num_beams=beams, **options)[1]
        for beams in (BEAMS, 1)
    )
    return best - greedy

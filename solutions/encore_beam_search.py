"""Encore: beam search, several continuations at once, and the likeliest text wins."""

from collections.abc import Callable, Sequence

import numpy as np


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """Turns logits ``[N, V]`` into log-probabilities, row by row, in float64."""
    shifted = logits - logits.max(axis=-1, keepdims=True).astype(np.float64)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _best_continuations(
    beams: np.ndarray, sums: np.ndarray, log_probabilities: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Appends every token to every beam and keeps the likeliest texts, best first.

    Args:
        beams: ``[N, T]``, the ids of each beam.
        sums: ``[N]``, each beam's sum of log-probabilities.
        log_probabilities: ``[N, V]``, of every token after each beam.
        count: how many to keep.

    Returns:
        ``[M, T + 1]`` and ``[M]``, with M the smaller of ``count`` and N · V.
    """
    totals = sums[:, None] + log_probabilities  # [N, V]
    best = np.argsort(-totals, axis=None, kind="stable")[:count]  # in N · V
    rows, tokens = np.unravel_index(best, totals.shape)
    longer = np.concatenate([beams[rows], tokens[:, None]], axis=1)
    return longer, totals[rows, tokens]


def beam_search(
    next_logits: Callable[[np.ndarray], np.ndarray],
    prompt_ids: Sequence[int],
    *,
    num_beams: int,
    max_new_tokens: int,
    length_penalty: float = 1.0,
    eos_token_id: int | None = None,
) -> tuple[list[int], float]:
    """Looks for the continuation with the highest text score.

    A text score is the sum of log-probabilities of the text's new tokens, divided by
    ``length ** length_penalty``; the length counts new tokens, and the end too. Of the
    ``2 * num_beams`` likeliest continuations of all beams, those that end are finished
    if they are among the first ``num_beams``; the best ``num_beams`` of the others go
    on. The best ``num_beams`` finished texts are kept; once there are that many and no
    beam's text score is above the lowest of theirs, the search is over.

    Args:
        next_logits: turns ids ``[N, T]`` into the logits ``[N, V]`` of what follows
            each row; the rows are texts of equal length, prompt included.
        prompt_ids: the prompt; an end in it stops nothing.
        num_beams: how many beams; 1 is greedy search.
        max_new_tokens: where every text ends at the latest; at least 1.
        length_penalty: above 0 favours long texts, below 0 short ones.
        eos_token_id: the token that ends a text; None writes to the end.

    Returns:
        The ids of the best text, prompt included, and its text score.

    Source: Wu et al. 2016, "Google's Neural Machine Translation System", section 7,
    with Hugging Face's length penalty and its rule for ``early_stopping=False``.
    """
    beams, sums = np.array([prompt_ids], dtype=np.int64), np.zeros(1)  # [N, T], [N]
    finished: list[tuple[list[int], float]] = []
    for length in range(1, max_new_tokens + 1):
        following = _log_softmax(next_logits(beams))  # [N, V]
        beams, sums = _best_continuations(beams, sums, following, 2 * num_beams)
        scores = sums / length**length_penalty
        ended = (beams[:, -1] == eos_token_id) | (length == max_new_tokens)
        for i in np.flatnonzero(ended[:num_beams]):
            finished.append((beams[i].tolist(), float(scores[i])))
        finished = sorted(finished, key=lambda text: -text[1])[:num_beams]
        beams, sums, scores = (a[~ended][:num_beams] for a in (beams, sums, scores))
        if len(finished) == num_beams and not (scores > finished[-1][1]).any():
            break
    return finished[0]

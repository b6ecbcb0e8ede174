"""Encore: beam search, several continuations at once, and the likeliest text wins.

Greedy choice takes the likeliest token each time, but the likeliest text may begin with
another token: after a good first word only dull ones may follow. Beam search keeps the
best few beginnings, the beams. In every round it continues each beam with every token,
and of all these texts it again keeps the best few:

    beams [N, T], log-probabilities [N, V] -> the best of N · V texts [M, T + 1]

A text's probability is the product of its tokens' probabilities. So many small factors
would vanish; their logarithms only have to be added up. The sum falls with each token,
and short texts would win. Therefore the text score divides it by a power of the
length:

    text score = (log p_1 + log p_2 + … + log p_n) / n ** length_penalty

The rules are those of Hugging Face's ``generate`` with ``early_stopping=False``, its
default. The traps: logits are no log-probabilities yet; texts that end must not leave
fewer to go on, so each round looks at twice as many as there are beams; and a finished
text may still lose against one that goes on.

This is plain NumPy. ``next_logits`` stands for the model and reads all beams in one
call. The two helpers are blanks too; use them or write it your way.

Look up: ``np.argsort`` (its ``axis`` and ``kind``), ``np.unravel_index``,
``np.concatenate``, ``np.flatnonzero``; indexing with arrays of row numbers and bools.
Check with ``pixi run beam-search`` or ``uv run beam-search``.
"""

from collections.abc import Callable, Sequence

import numpy as np


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """Turns logits ``[N, V]`` into log-probabilities, row by row, in float64."""
    # The logarithm of softmax is a subtraction: each logit, less the logarithm of the
    # sum of the row's exponentials. Take the row's largest logit from all of them
    # first, so that nothing overflows. A row's own number needs the shape [N, 1].

    raise NotImplementedError(
        "Return the logits less the logarithm of the sum of their exponentials."
    )


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
    # The sum of every longer text: [N] and [N, V] -> [N, V]

    # The places of the highest sums, best first, counted through all N · V: [M]

    # Each place is a row, the beam it continues, and a column, the token: [M] each

    # The beams of these rows, each with its token: [M, T] and [M, 1] -> [M, T + 1]

    raise NotImplementedError(
        "Return the likeliest longer texts, best first, and their sums."
    )


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
    # At first there is a single beam, the prompt, with a sum of 0; more would be copies
    # of it. Nothing is finished yet.

    # For every length from 1 to max_new_tokens:
    #   the likeliest continuations of all beams, and their sums: [M, T + 1], [M];
    #   their text scores: [M];
    #   which of them end: with the end token, or because they are as long as they may
    #   be: bools [M];
    #   those that end, of the first num_beams, are finished; of all finished texts keep
    #   the best num_beams, best first;
    #   the best num_beams of those that do not end are the new beams;
    #   stop if num_beams are finished and no beam's text score beats the lowest.

    raise NotImplementedError(
        "Return the ids of the text with the highest text score, and that score."
    )

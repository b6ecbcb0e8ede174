"""Encore: contrastive decoding and contrastive search, which choose by a difference.

Shapes: V vocabulary, N texts, T tokens, K candidates, C channels.
"""

from collections.abc import Callable, Sequence

import numpy as np

# Ids [N, T] to the logits [N, V] of what follows and the hidden states [N, T, C].
type Model = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def contrastive_logits(
    expert: np.ndarray, amateur: np.ndarray, *, alpha: float = 0.1, beta: float = 0.5
) -> np.ndarray:
    """Prefers the tokens that the expert likes more than the amateur does.

    The new logits are ``(1 + beta) * expert - beta * amateur``. A token is removed,
    with -inf, if the expert's probability of it is below ``alpha`` times the expert's
    highest probability.

    Args:
        expert: logits ``[V]`` of the model that writes.
        amateur: logits ``[V]`` of a weaker model after the same text.
        alpha: above 0, up to 1; 1 leaves only the expert's likeliest token.
        beta: the strength, 0 or more; 0 only removes tokens.

    Returns:
        ``[V]``.

    Source: Li et al. 2023, "Contrastive Decoding", section 3, with the strength of
    O'Brien and Lewis 2023, "Contrastive Decoding Improves Reasoning in Large Language
    Models".
    """
    plausible = expert >= expert.max() + np.log(alpha)
    contrasted = (1 + beta) * expert - beta * amateur
    return np.where(plausible, contrasted, -np.inf)


def degeneration_penalty(candidates: np.ndarray, context: np.ndarray) -> np.ndarray:
    """Measures how much each candidate repeats what the text has already.

    Args:
        candidates: ``[K, C]``, the hidden state of each candidate.
        context: ``[T, C]``, the hidden states of the tokens before it.

    Returns:
        ``[K]``, each candidate's largest cosine similarity with a token of the context.

    Source: Su et al. 2022, "A Contrastive Framework for Neural Text Generation", on
    contrastive search.
    """
    similarity = _unit(candidates) @ _unit(context).T  # [K, T]
    return similarity.max(axis=1)


def contrastive_search(
    model: Model,
    prompt_ids: Sequence[int],
    *,
    top_k: int,
    penalty_alpha: float,
    max_new_tokens: int,
    eos_token_id: int | None = None,
) -> list[int]:
    """Continues a text with likely tokens that do not repeat it.

    Of the ``top_k`` likeliest tokens, the one with the highest contrastive score is
    written: ``(1 - penalty_alpha) * probability - penalty_alpha * penalty``.

    Args:
        model: turns ids ``[N, T]`` into the logits ``[N, V]`` of what follows each
            row, and the hidden states ``[N, T, C]`` of the rows' tokens. The rows are
            texts of equal length, prompt included.
        prompt_ids: the prompt; left as it was.
        top_k: the number of candidates, at least 1; of equally likely tokens, those
            with the lower ids.
        penalty_alpha: from 0, which is greedy choice, to 1.
        max_new_tokens: the number of tokens to write.
        eos_token_id: the token that ends the text, and stays in it; None writes to
            the end. An end in the prompt stops nothing.

    Returns:
        The ids of prompt and continuation.

    Source: as for ``degeneration_penalty``.
    """
    ids, best = list(prompt_ids), 0
    logits, states = model(np.array([ids]))  # [1, V], [1, T, C]
    for _ in range(max_new_tokens):
        tokens, probabilities = _likeliest(logits[best], top_k)  # [K] each
        texts = np.array([[*ids, token] for token in tokens])  # [K, T + 1]
        logits, states = model(texts)  # [K, V], [K, T + 1, C]
        penalties = degeneration_penalty(states[:, -1], states[0, :-1])
        scores = (1 - penalty_alpha) * probabilities - penalty_alpha * penalties
        best = int(scores.argmax())
        ids = texts[best].tolist()
        if ids[-1] == eos_token_id:
            break
    return ids


def _unit(states: np.ndarray) -> np.ndarray:
    """Scales each row of ``[N, C]`` to length 1."""
    return states / np.linalg.norm(states, axis=1, keepdims=True)


def _likeliest(logits: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Finds the likeliest tokens: logits ``[V]`` to ids and probabilities ``[K]``.

    The probabilities are those among all V tokens. Equally likely tokens come in the
    order of their ids.
    """
    exponentials = np.exp(logits - logits.max())  # the largest is 1: nothing overflows
    best = np.argsort(-logits, kind="stable")[:count]
    return best, exponentials[best] / exponentials.sum()

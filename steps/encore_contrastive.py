"""Encore: contrastive decoding and contrastive search, which choose by a difference.

The likeliest token is often a dull one: a word that fits everywhere, or a word that the
text has just had. Two methods subtract what is dull, and choose by what remains.

Contrastive decoding asks two models. The amateur is weaker than the expert: smaller, or
the expert's first layers alone. Both like dull tokens. What the expert likes more than
the amateur does is what only the expert knows:

    (1 + beta) · expert - beta · amateur     from logits [V] each

Differences alone are no good: where both models find a token nearly impossible, one of
them may still find it a thousand times less so. Therefore a token has to be plausible
first. Its probability in the expert has to reach alpha times that of the expert's
likeliest token; all other tokens are removed.

Contrastive search asks one model, and looks at its hidden states. Where a text repeats
itself, its hidden states are alike. So the model tries each of the K likeliest tokens:
it reads the text with this token at the end, and the token's hidden state is compared
with those of all tokens before it.

    hidden states [K, T + 1, C]
    cosine similarity of the last state with the T others     [K, T]
    the largest of each row is the degeneration penalty       [K]
    (1 - a) · probability - a · penalty                       [K], the highest wins

The traps: what is plausible is the expert's business alone; cosine similarity looks at
directions, and a state's length does not matter; a state is always like itself, so the
candidate is no part of its own context; and a candidate's probability is that among all
V tokens, not among the K.

This is plain NumPy; a function stands for the model. The two helpers at the end are
blanks too; use them or write it your way.

Look up: ``np.where``, ``np.log``, ``np.linalg.norm`` (its ``axis`` and ``keepdims``),
``np.argsort`` (its ``kind``), and the arrays' methods ``max`` and ``argmax``.
Check with ``pixi run contrastive`` or ``uv run contrastive``.

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
    # Which tokens are plausible? Softmax gives probabilities, and then it is a product.
    # It also works without softmax: a logit is a logarithm of a probability, apart from
    # a number that all tokens share. What becomes of a factor alpha in logarithms?

    # The difference is an equation on arrays, and NumPy writes it as above.

    # Keep it where a token is plausible, and put -inf elsewhere.

    raise NotImplementedError(
        "Return the contrasted logits, with -inf for what the expert finds implausible."
    )


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
    # The cosine of two vectors is their dot product, once both have length 1. All dot
    # products of two lists of vectors are one matrix product: [K, C] and [C, T]

    # Of each candidate, the largest: [K, T] -> [K]

    raise NotImplementedError(
        "Return the largest cosine similarity of each candidate with the context."
    )


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
    # The model reads the prompt, a batch of one row.

    # max_new_tokens times:
    #   the candidates after the text, and their probabilities: [K] each;
    #   the text with each candidate at its end: [K, T + 1];
    #   the model reads all of them at once, for logits and hidden states;
    #   the penalties: of every row, the last state is the candidate's. The states
    #   before it are the context's. They are the same in all rows, because no token
    #   sees a later one;
    #   the contrastive scores: [K];
    #   the row with the highest one is the new text. Its logits are there already,
    #   for the next candidates;
    #   stop if it ends with the end token.

    raise NotImplementedError(
        "Return the prompt's ids and the ids written, of the best contrastive scores."
    )


def _unit(states: np.ndarray) -> np.ndarray:
    """Scales each row of ``[N, C]`` to length 1."""
    # The length of a row is the root of the sum of its squares. To divide rows by it,
    # it needs the shape [N, 1].

    raise NotImplementedError("Return the rows, each divided by its own length.")


def _likeliest(logits: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Finds the likeliest tokens: logits ``[V]`` to ids and probabilities ``[K]``.

    The probabilities are those among all V tokens. Equally likely tokens come in the
    order of their ids.
    """
    # Softmax over all tokens first. Subtract the largest logit, so that no exponential
    # is too large for a float.

    # Sorting is upwards, so sort something that falls when the logit rises. A stable
    # sort leaves equals in the order in which they came.

    raise NotImplementedError(
        "Return the ids of the likeliest tokens, best first, and their probabilities."
    )

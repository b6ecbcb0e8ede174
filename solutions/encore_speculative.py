"""Encore: speculative decoding, several tokens for one call of the model.

Shapes: K proposed tokens, V vocabulary.
"""

from collections.abc import Callable, Sequence

import numpy as np

type Model = Callable[[list[int], int], np.ndarray]  # ids, count -> [count, V]
type Proposal = tuple[list[int], np.ndarray]  # K ids, and their distributions [K, V]
type Draft = Callable[[list[int], int], Proposal]  # ids, at most so many


def look_up(ids: list[int], count: int, longest: int = 3) -> list[int]:
    """Finds the text's end earlier in the text, and returns what followed there.

    The end is as many of the last ids as possible, at most ``longest``, that also
    stand somewhere before; the two may overlap. Of several such places, the last one
    counts.

    Args:
        ids: the text.
        count: how many ids to return at most; there may be fewer.
        longest: how many of the last ids to look for at most.

    Returns:
        The ids that followed; none if not even the last id occurred before.

    Source: Saxena 2023, "Prompt Lookup Decoding".
    """
    for size in range(longest, 0, -1):
        for after in range(len(ids) - 1, size - 1, -1):  # the latest place first
            if ids[after - size : after] == ids[-size:]:
                return ids[after : after + count]
    return []


def propose_from_text(ids: list[int], count: int, vocab_size: int) -> Proposal:
    """Proposes what ``look_up`` finds. Nothing is drawn, so each id is certain.

    Args:
        ids: the text.
        count: how many ids to propose at most.
        vocab_size: V.

    Returns:
        K ids, and a distribution ``[K, V]`` for each: 1 for the id, 0 for all others.
    """
    proposed = look_up(ids, count)
    certain = np.zeros([len(proposed), vocab_size])
    certain[np.arange(len(proposed)), proposed] = 1
    return proposed, certain


def propose_with_model(
    draft: Model, ids: list[int], count: int, rng: np.random.Generator
) -> Proposal:
    """Lets a small model draw ``count`` tokens, one after the other.

    Args:
        draft: the small model; each call asks for one distribution.
        ids: the text; left as it was.
        count: K.
        rng: the source of all randomness.

    Returns:
        K ids, and the distributions ``[K, V]`` that they were drawn from.
    """
    proposed: list[int] = []
    distributions: list[np.ndarray] = []
    for _ in range(count):
        distributions.append(draft([*ids, *proposed], 1)[0])
        proposed.append(_draw(distributions[-1], rng))
    return proposed, np.array(distributions)


def residual(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Returns the distribution ``[V]`` that replaces a rejected token.

    It is proportional to what ``p`` has beyond ``q``, where ``q`` has more it is 0.
    If ``p`` has nothing beyond ``q``, the two are equal but for rounding: then it is
    ``p``.

    Args:
        p: the model's probabilities ``[V]``.
        q: the draft's probabilities ``[V]``.

    Source: Leviathan, Kalman and Matias 2023, "Fast Inference from Transformers via
    Speculative Decoding", section 2.3.
    """
    beyond = np.maximum(p - q, 0)
    total = beyond.sum()
    return beyond / total if total > 0 else p


def verify(
    proposed: Sequence[int], q: np.ndarray, p: np.ndarray, rng: np.random.Generator
) -> list[int]:
    """Keeps proposed tokens up to the first that is rejected, and adds one token.

    Token i is kept with probability min(1, p / q), by its own p and q at place i. A
    rejected token is replaced by a draw from ``residual``, and all after it are
    dropped. If every token is kept, one more is drawn from the last row of ``p``.

    Args:
        proposed: K ids, each drawn from its row of ``q``.
        q: the draft's distributions ``[K, V]``.
        p: the model's distributions ``[K + 1, V]``, for the same places and for the
            place after them.
        rng: the source of all randomness.

    Returns:
        From 1 to K + 1 ids, distributed as if each had been drawn from the model.

    Source: Leviathan et al. 2023, section 2.3 and appendix A.1; Chen et al. 2023,
    "Accelerating Large Language Model Decoding with Speculative Sampling", algorithm 2.
    """
    for i, guess in enumerate(proposed):
        if rng.random() >= p[i, guess] / q[i, guess]:
            return [*proposed[:i], _draw(residual(p[i], q[i]), rng)]
    return [*proposed, _draw(p[-1], rng)]


def speculative_round(
    model: Model, draft: Draft, ids: list[int], count: int, rng: np.random.Generator
) -> list[int]:
    """Continues a text by 1 to ``count + 1`` tokens with one call of the model.

    Args:
        model: turns ids and a number n into the distributions ``[n, V]`` of what
            follows the text without its last n - 1 ids, and so on, up to the whole
            text. Temperature and filters are in these distributions already.
        draft: turns ids and ``count`` into K ids, perhaps fewer, and their
            distributions ``[K, V]``.
        ids: the text; left as it was.
        count: how many tokens the draft may propose.
        rng: the source of all randomness.

    Returns:
        The new ids.
    """
    proposed, q = draft(ids, count)
    p = model([*ids, *proposed], len(proposed) + 1)
    return verify(proposed, q, p, rng)


def speculative_decode(
    model: Model,
    draft: Draft,
    prompt_ids: Sequence[int],
    *,
    max_new_tokens: int,
    num_draft_tokens: int = 4,
    eos_token_id: int | None = None,
    rng: np.random.Generator,
) -> list[int]:
    """Writes a text that is distributed as the model's own, with fewer calls of it.

    A round adds a token of the model's own to those of the draft. So no round lets the
    draft propose more than the tokens still to write less one.

    Args:
        model: as for ``speculative_round``.
        draft: as for ``speculative_round``.
        prompt_ids: the prompt; an end in it stops nothing.
        max_new_tokens: how many tokens to write at most.
        num_draft_tokens: how many tokens the draft may propose in a round.
        eos_token_id: the token that ends a text; None writes to the end.
        rng: the source of all randomness.

    Returns:
        Prompt and continuation; after an end there is nothing.
    """
    ids, longest = list(prompt_ids), len(prompt_ids) + max_new_tokens
    while len(ids) < longest:
        count = min(num_draft_tokens, longest - len(ids) - 1)
        new = speculative_round(model, draft, ids, count, rng)
        if eos_token_id in new:
            return ids + new[: new.index(eos_token_id) + 1]
        ids = ids + new
    return ids


def _draw(distribution: np.ndarray, rng: np.random.Generator) -> int:
    """Draws one id from a distribution ``[V]``."""
    return int(rng.choice(len(distribution), p=distribution))

"""Encore: speculative decoding, several tokens for one call of the model.

To write one token, a model reads all of its weights. To check four tokens that a cheap
draft has guessed, it reads them once, too:

    text, then 4 guesses -> 5 distributions -> from 1 to 5 tokens that are certain

The draft may be a small model, or the text itself: what stood after the same words
before may stand there again. It may be as bad as it likes: the rule for keeping tokens
leaves exactly the distribution of the model. With p for the model's probabilities and q
for the draft's:

    keep the guess with probability min(1, p / q)
    else draw from what p has beyond q, max(0, p - q), scaled to a sum of 1

A distribution here is what tokens are drawn from: temperature and filters are in it.
Greedy choice needs no rule of its own, since all its probability is at one token.

This is plain NumPy. A model is a function ``model(ids, count)``: it returns ``count``
distributions ``[count, V]``. The last one says what follows all of the ids, the one
before it what follows the ids without the last, and so on. Shapes: K proposed tokens, V
vocabulary.

The traps: the model's first distribution belongs to the first guess; after a rejection
the later guesses are worth nothing; when all guesses are kept, the last distribution is
still unused; and a text may end in the middle of a round.

Fill in from the top; each function has checks of its own. Look up: ``np.maximum``,
``Generator.random``, ``Generator.choice``; slices, ``list.index``.
Check with ``pixi run speculative`` or ``uv run speculative``.
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
    # From the longest end to the shortest, which is one id: does it also stand earlier
    # in the text, with at least one id after it? Begin with the latest such place.

    raise NotImplementedError(
        "Return the ids that followed where the text's end stood before."
    )


def propose_from_text(ids: list[int], count: int, vocab_size: int) -> Proposal:
    """Proposes what ``look_up`` finds. Nothing is drawn, so each id is certain.

    Args:
        ids: the text.
        count: how many ids to propose at most.
        vocab_size: V.

    Returns:
        K ids, and a distribution ``[K, V]`` for each: 1 for the id, 0 for all others.
    """
    # The ids that look_up finds: K of them, perhaps none.

    # A row for each, 0 everywhere but at its id: [K, V]

    raise NotImplementedError(
        "Return the ids that were found, and a distribution for each."
    )


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
    # As often as asked: the draft's distribution after the text and the tokens drawn so
    # far; keep it, and draw from it. Whoever called still needs the list of ids.

    raise NotImplementedError(
        "Return the ids that the draft draws, and the distributions they come from."
    )


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
    # Where p is below q, nothing is left of p.

    # A distribution has a sum of 1, and 0 / 0 is no number.

    raise NotImplementedError(
        "Return what p has beyond q, scaled to a sum of 1; p if that is nothing."
    )


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
    # From the first proposed token to the last: a random number between 0 and 1 decides
    # whether it is kept. If it is not, everything that is returned is known: the tokens
    # before it, and one draw.

    # Otherwise all are kept, and there is one distribution more than there are tokens.

    raise NotImplementedError(
        "Return the proposed tokens that are kept, and one more token."
    )


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
    # The draft's tokens, with their distributions

    # The model's distributions after the text and after each of these tokens, in one
    # call. How many are they?

    raise NotImplementedError("Return the new ids of one round.")


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
    # A new list begins with the prompt.

    # As long as there is room: how many tokens may the draft propose? Then a round. If
    # the end is among the new ids, the text ends with it, and what comes after it in
    # this round is dropped.

    raise NotImplementedError("Return the prompt and the text that follows it.")


def _draw(distribution: np.ndarray, rng: np.random.Generator) -> int:
    """Draws one id from a distribution ``[V]``."""
    raise NotImplementedError("Return an id, drawn with these probabilities.")

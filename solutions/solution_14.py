"""Step 14: text generation, the loop that feeds the model its own words."""

from collections.abc import Callable

import numpy as np
from max.experimental import functional as F
from max.experimental.tensor import Tensor


def generate_next_token(
    model: Callable[[Tensor], Tensor],
    input_ids: Tensor,
    temperature: float = 1.0,
    do_sample: bool = True,
    *,
    rng: np.random.Generator | None = None,
) -> Tensor:
    """Chooses one more token for every row of ``input_ids``.

    Args:
        model: anything that turns ids ``[B, T]`` into logits ``[B, T, V]``.
        input_ids: ``[B, T]``, the text so far.
        temperature: divides the logits; above 1 is bolder, below 1 more careful.
            0 is greedy, as ``do_sample=False`` is.
        do_sample: draw from the distribution; False takes the likeliest token.
        rng: where the randomness comes from; None makes a fresh generator.

    Returns:
        The chosen ids, ``[B, 1]``.

    Source: Ackley, Hinton and Sejnowski 1985, "A Learning Algorithm for Boltzmann
    Machines", section 2 (temperature).
    """
    logits = model(input_ids)[:, -1, :]  # [B, T, V] -> [B, V]: only the end matters
    if not do_sample or temperature == 0:
        return F.argmax(logits, axis=-1)
    rng = rng or np.random.default_rng()
    probabilities = F.softmax(logits / temperature, axis=-1).to_numpy().astype(float)
    probabilities /= probabilities.sum(axis=-1, keepdims=True)  # choice wants 1
    chosen = [[rng.choice(len(row), p=row)] for row in probabilities]
    return Tensor(chosen, dtype=input_ids.dtype, device=input_ids.device)


def generate_tokens(
    model: Callable[[Tensor], Tensor],
    input_ids: Tensor,
    max_new_tokens: int = 10,
    temperature: float = 1.0,
    do_sample: bool = True,
    *,
    eos_token_id: int | None = None,
    rng: np.random.Generator | None = None,
) -> Tensor:
    """Writes up to ``max_new_tokens`` tokens after every row of ``input_ids``.

    A row that has produced ``eos_token_id`` keeps it and is filled up with it; when
    all rows have ended, so does the loop. An end in the prompt stops nothing.

    Args:
        model: anything that turns ids ``[B, T]`` into logits ``[B, T, V]``.
        input_ids: ``[B, T]``, the prompt; left as it was.
        max_new_tokens: how many tokens to write at most.
        temperature: see ``generate_next_token``.
        do_sample: see ``generate_next_token``.
        eos_token_id: the token that ends a text; None writes to the end.
        rng: where the randomness comes from; None makes a fresh generator.

    Returns:
        Prompt and continuation, ``[B, T + n]`` with n <= ``max_new_tokens``.
    """
    rng = rng or np.random.default_rng()
    ended = np.zeros([int(input_ids.shape[0]), 1], dtype=bool)
    for _ in range(max_new_tokens):
        next_ids = generate_next_token(
            model, input_ids, temperature, do_sample, rng=rng
        )
        if eos_token_id is not None:
            had_ended = Tensor(ended, device=input_ids.device)
            next_ids = F.where(had_ended, eos_token_id, next_ids)
            ended |= next_ids.to_numpy() == eos_token_id
        input_ids = F.concat([input_ids, next_ids], axis=1)
        if ended.all():
            break
    return input_ids

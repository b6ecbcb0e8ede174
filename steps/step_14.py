"""Step 14: text generation, the loop that feeds the model its own words.

At each position the model gives every token a logit as the next one. Only the last
position matters now. Greedy choice takes the highest logit; sampling turns the logits
into probabilities and draws:

    p = softmax(logits / temperature)

The chosen token is appended, and the longer text goes back into the model. That loop
is all there is to writing. The traps: temperature divides the logits, not the
probabilities; one random generator serves the whole text, because new ones of the same
seed would repeat themselves; and in a batch some texts end before others.

Look up: ``F.argmax``, ``F.softmax``, ``F.concat``, ``F.where``, ``Tensor.to_numpy``.
``F`` draws no tokens; NumPy's ``Generator.choice`` does, and takes probabilities.
Check with ``pixi run s14`` or ``uv run s14``.
"""

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
    # The logits of the last position: [B, T, V] -> [B, V]. An index works as in NumPy:
    # a single number removes its axis.

    # Greedy, if nothing shall be drawn or the temperature is 0: the likeliest id of
    # each row, [B, V] -> [B, 1]. F.argmax keeps the axis that it searches, with size 1.

    # Sampling: probabilities as a NumPy array, [B, V]; a tensor cannot be looped over,
    # an array can. The generator allows a float64 row a smaller error in its sum than a
    # float32 row: after converting to float64, divide each row by its sum.

    # One draw per row, as a Tensor [B, 1] with the ids' dtype and device. (Tensor(...)
    # takes nested lists.) Without an rng, make one: default_rng in np.random.

    raise NotImplementedError(
        "Return the next id of every row: the likeliest one, or one that is drawn."
    )


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
    # Before the loop: the generator, made once, and a NumPy array of bools, [B, 1]:
    # which rows have ended. At first no row has, whatever the prompt holds. The size B
    # is a Dim, which NumPy wants as an int.

    # At most max_new_tokens times:
    #   1. Choose a token for every row: [B, T] -> [B, 1].
    #   2. If there is an eos_token_id (0 is one, although Python takes it for false):
    #      a row that had ended before gets it in place of the chosen token. F.where
    #      wants its condition as a Tensor, on the device of the ids: say device=...
    #   3. Rows that now show it have ended, too.
    #   4. Append, as a new tensor: [B, T] and [B, 1] -> [B, T + 1].
    #   5. Stop once every row has ended.

    raise NotImplementedError(
        "Return the prompt with up to max_new_tokens more ids in every row."
    )

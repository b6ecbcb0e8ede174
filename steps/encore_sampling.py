"""Encore: sampling, the filters between a model's logits and the drawn token.

Always taking the likeliest token soon repeats itself; drawing from the whole vocabulary
now and then picks nonsense. The filters here lie between: each takes logits ``[V]`` and
returns new logits ``[V]``, in which what it removes is -inf; softmax turns that into a
probability of exactly 0. So they can be put in a row:

    repetition penalty, temperature, top-k, top-p, min-p, softmax, draw

This is plain NumPy; there is no tensor and no model. The traps: the order above is part
of the result; a filter must not write into the array that it was given; dividing a
negative logit makes it larger; and tokens come in the order of their ids, not of their
probabilities, so whoever sorts them must find the way back.

Fill in from the top; each function has checks of its own. The two helpers at the end
are for the filters; use them or write it your way.

Look up: ``np.exp``, ``np.where``, ``np.unique``, ``np.argsort``, ``np.cumsum``,
``np.full_like``, ``np.flatnonzero``, and ``Generator.choice``.
Check with ``pixi run sampling`` or ``uv run sampling``.
"""

from collections.abc import Sequence

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turns logits ``[V]`` into probabilities ``[V]``; -inf becomes exactly 0."""
    # Subtracting the same number from all logits changes no probability. Which one
    # makes sure that no exponential is too large for a float?

    raise NotImplementedError(
        "Return the exponentials of the logits, divided by their sum."
    )


def apply_repetition_penalty(
    logits: np.ndarray, previous_ids: Sequence[int], penalty: float
) -> np.ndarray:
    """Makes every token that was already used less likely, once however often.

    Args:
        logits: ``[V]``.
        previous_ids: the ids of the prompt and of the text written so far.
        penalty: above 1 discourages repetition; 1 changes nothing.

    Source: Keskar et al. 2019, "CTRL", section 4.1. A negative logit is multiplied,
    since dividing it would make the token likelier.
    """
    # The ids that occur, each of them once; there may be none, so give the array of
    # ids a whole-number dtype. An array of ids picks theirs out of the logits,
    # and writes to them in a new array.

    # The new logits: negative ones times the penalty, the others divided by it.

    raise NotImplementedError(
        "Return new logits in which every token used before has a lower logit."
    )


def temperature_scale(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Divides the logits ``[V]`` by the temperature; 0 leaves the likeliest alone.

    Of equally likely tokens, temperature 0 leaves the one with the lowest id.

    Source: Ackley, Hinton and Sejnowski 1985, "A Learning Algorithm for Boltzmann
    Machines", section 2.
    """
    # Temperature 0 is greedy choice. One of the filters below can do that.

    raise NotImplementedError(
        "Return the logits divided by the temperature, and handle temperature 0."
    )


def top_k_filter(logits: np.ndarray, k: int) -> np.ndarray:
    """Keeps the k highest logits of ``[V]``, of equals the lower ids; 0 keeps all.

    Source: Fan, Lewis and Dauphin 2018, "Hierarchical Neural Story Generation",
    section 5.4.
    """
    # Exactly k stay, or all if there are fewer. A threshold at the k-th highest logit
    # would keep too many where several are equal; ids in order of likelihood do not.

    raise NotImplementedError(
        "Return new logits with the k highest kept and all others at -inf."
    )


def top_p_filter(logits: np.ndarray, p: float) -> np.ndarray:
    """Keeps the likeliest tokens of ``[V]`` until their probabilities reach p.

    A token stays while the probability of those before it is below p, so the one
    that crosses the line stays too. There is always at least one, and 1 keeps all.

    Source: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration",
    section 3.1.
    """
    # p = 1 is a case of its own: rounding can make the sum 1 before the last tokens.

    # The probabilities, likeliest first, and their running sum. A running sum includes
    # the token itself, but what counts is the sum before it. So how many tokens stay,
    # if n of the running sums are below p?

    raise NotImplementedError(
        "Return new logits with the likeliest tokens that make up p, others at -inf."
    )


def min_p_filter(logits: np.ndarray, p: float) -> np.ndarray:
    """Keeps the tokens of ``[V]`` with at least p times the highest probability.

    Source: Nguyen et al. 2024, "Turning Up the Heat: Min-p Sampling for Creative
    and Coherent LLM Outputs", section 3.
    """
    # The line moves with the model: where it is sure, few tokens come near the best.

    raise NotImplementedError(
        "Return new logits without the tokens far less likely than the likeliest."
    )


def next_token_probabilities(
    logits: np.ndarray,
    previous_ids: Sequence[int] = (),
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    repetition_penalty: float = 1.0,
) -> np.ndarray:
    """Applies every filter in order: logits ``[V]`` to probabilities ``[V]``.

    The defaults change nothing. Temperature 0 gives the likeliest token all of it.
    """
    # Five functions, each on what the one before returned, in the order that the top
    # of this file gives; then the probabilities.

    raise NotImplementedError(
        "Return the probabilities after all five functions, one after the other."
    )


def top_tokens(probabilities: np.ndarray, count: int) -> list[tuple[int, float]]:
    """Lists the ``count`` likeliest of ``[V]`` as (id, probability), best first."""
    # Make plain numbers of NumPy's own with int and float.

    raise NotImplementedError(
        "Return the likeliest tokens, best first, as pairs of id and probability."
    )


def sample(logits: np.ndarray, rng: np.random.Generator) -> int:
    """Draws one id from the distribution that the logits ``[V]`` stand for."""
    # The generator wants probabilities whose sum is 1, in float64 more exactly than in
    # float32. Softmax of float64 logits gives that. (Step 14 converted probabilities,
    # so their sum was still that of float32, and had to be divided by.)

    raise NotImplementedError(
        "Return one id, drawn by rng with the probabilities of the logits."
    )


def _likeliest_first(values: np.ndarray) -> np.ndarray:
    """Orders the ids of ``[V]`` by falling value, equals by rising id."""
    # Sorting is upwards, so sort something that falls when the value rises. Only a
    # stable sort leaves equals in the order in which they came.

    raise NotImplementedError("Return the ids in order, the likeliest first.")


def _keep(logits: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Copies the logits at ``ids`` and sets all others to -inf."""
    # Start from a new array that is -inf everywhere.

    raise NotImplementedError("Return new logits that are -inf except at the ids.")

"""Encore: constrained decoding, only tokens that lead to a text of a pattern.

A program that reads a model's answer wants a certain form: yes or no, a number, a JSON
object. Asking the model for it may fail. Instead, remove the tokens that break the form
before a token is chosen: their logits become -inf, and no draw can take them.

The form is a regular expression. The course has turned it into an automaton over bytes,
as two arrays. ``table`` ``[S, 256]`` has for each state the next state after each byte,
or ``OUT`` where the pattern allows no such byte. A text begins in state 0. It may end
in the states that ``accepting`` ``[S]`` marks.

The model does not write bytes but tokens, and a token has several bytes. So a token
crosses several states at once: walk through its bytes to see whether it fits.

    table [S, 256], vocabulary of V tokens -> destinations [S, V] -> allowed [S, V]

The traps: ``OUT`` is -1, and NumPy takes the index -1 for the last row. A token may fit
and still lead into a dead end, where no token can complete the text. An accepting state
says that the text may end, not that it must. And the prompt has no part in the pattern.

Fill in from the top; each function has checks of its own, and uses those above it.

Look up: ``np.where``, ``np.full``, ``np.zeros``, ``ndarray.any`` (its ``axis``);
indexing with arrays of row and column numbers; iterating over ``bytes``.
Check with ``pixi run constrained`` or ``uv run constrained``.
"""

from collections.abc import Callable, Sequence

import numpy as np

OUT = -1  # instead of a state: the text does not fit the pattern any more


def walk(table: np.ndarray, states: np.ndarray, token: bytes) -> np.ndarray:
    """Follows a token's bytes through the automaton, from several states at once.

    Args:
        table: ``[S, 256]``, the next state after each byte, or ``OUT``.
        states: ``[N]``, the states before the token; ``OUT`` stays ``OUT``.
        token: the token's text; it may be a part of a character.

    Returns:
        ``[N]``, the states after the token.
    """
    # One byte after the other. A byte is a whole number, from 0 to 255, and a column of
    # the table; the states are its rows. The states are an array, so all move at once.

    # A text that does not fit any more never fits again.

    raise NotImplementedError(
        "Return the states that the token's bytes lead to, or OUT."
    )


def token_destinations(table: np.ndarray, vocabulary: Sequence[bytes]) -> np.ndarray:
    """Returns the state after each token, from each state: ``[S, V]``.

    ``OUT`` stands where the token does not fit. A token without text, such as the end,
    fits nowhere: a text of such tokens would never get on.

    Args:
        table: ``[S, 256]``, the next state after each byte, or ``OUT``.
        vocabulary: the text of each of the V tokens.

    Source: Willard and Louf 2023, "Efficient Guided Generation for Large Language
    Models", section 3.
    """
    # A column for each token: start from every state at once, 0 to S - 1.

    # A token without text moves nothing; what does the docstring say of it?

    raise NotImplementedError(
        "Return the state after each token of the vocabulary, from each state."
    )


def allowed_tokens(
    destinations: np.ndarray, accepting: np.ndarray, end_ids: Sequence[int]
) -> np.ndarray:
    """Marks the tokens that may follow in each state: bools ``[S, V]``.

    A token may follow if it fits, and if the tokens of the vocabulary can still lead
    from there to a state where the text may end. An end token may follow where the
    text may end, and nowhere else.

    Args:
        destinations: ``[S, V]``, the state after each token, or ``OUT``.
        accepting: bools ``[S]``, where the text may end.
        end_ids: the tokens that end a text.
    """
    # Which state leads to which by a single token? A table of bools: [S, S]. Leave out
    # the tokens that do not fit: OUT is no state.

    # Which states can still reach an end? At first those where the text may end; then
    # also the states that lead to one of these by a token; then those that lead to
    # these; and so on. How often at most, with S states?

    # A token may follow if it fits and its destination is one of these states: [S, V]

    # The columns of the end tokens follow another rule: [S] must become a column, too.

    raise NotImplementedError(
        "Return, for each state and each token, whether the token may follow."
    )


def constrain(logits: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Sets the logits ``[V]`` to -inf where the bools ``allowed`` ``[V]`` are false."""
    # Make new logits; the array that comes in belongs to the caller.

    raise NotImplementedError("Return new logits that are -inf where not allowed.")


def generate_matching(
    next_logits: Callable[[list[int]], np.ndarray],
    prompt_ids: Sequence[int],
    table: np.ndarray,
    accepting: np.ndarray,
    vocabulary: Sequence[bytes],
    *,
    end_ids: Sequence[int],
    max_new_tokens: int,
) -> tuple[list[int], bool]:
    """Continues a prompt greedily with a text of the pattern.

    Args:
        next_logits: turns ids, prompt included, into the next token's logits ``[V]``.
        prompt_ids: the prompt, which the pattern does not concern.
        table: ``[S, 256]``, the next state after each byte, or ``OUT``.
        accepting: bools ``[S]``, where the text may end.
        vocabulary: the text of each of the V tokens.
        end_ids: the tokens that end a text; the one chosen is kept.
        max_new_tokens: where the text is cut off, finished or not.

    Returns:
        The ids, prompt included, and whether the new text matches the pattern.

    Raises:
        ValueError: the vocabulary's tokens make no text of the pattern.
    """
    # Prepare the two arrays once, for the whole text.

    # In state 0 some token has to be allowed.

    # For each new token: the logits after all ids so far, without what the present
    # state does not allow; the likeliest of the others; the list of ids grows by it.
    #   An end token ends the text, which then matches.
    #   Any other token leads to the next state.

    # A text that is cut off matches only where it may end.

    raise NotImplementedError(
        "Return the ids with the new text, and whether that text matches."
    )

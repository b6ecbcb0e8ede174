"""Encore: constrained decoding, only tokens that lead to a text of a pattern.

The pattern is an automaton over bytes. ``table`` ``[S, 256]`` has for each state the
next state after each byte, or ``OUT``. A text begins in state 0. It may end in the
states that ``accepting`` ``[S]`` marks.
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
    for byte in token:
        states = np.where(states == OUT, OUT, table[states, byte])  # [N]
    return states


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
    destinations = np.full([len(table), len(vocabulary)], OUT, dtype=table.dtype)
    for i, token in enumerate(vocabulary):
        if token:
            destinations[:, i] = walk(table, np.arange(len(table)), token)
    return destinations


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
    leads = np.zeros([len(accepting), len(accepting)], dtype=bool)
    for state, row in enumerate(destinations):
        leads[state, row[row != OUT]] = True  # [S, S], by a single token
    alive = accepting  # [S]
    for _ in accepting:  # a way to the end need not visit any state twice
        alive = alive | (leads & alive).any(axis=1)
    allowed = (destinations != OUT) & alive[destinations]  # [S, V]
    allowed[:, end_ids] = accepting[:, None]
    return allowed


def constrain(logits: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Sets the logits ``[V]`` to -inf where the bools ``allowed`` ``[V]`` are false."""
    return np.where(allowed, logits, -np.inf)


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
    destinations = token_destinations(table, vocabulary)
    allowed = allowed_tokens(destinations, accepting, end_ids)
    if not allowed[0].any():
        raise ValueError("no text of these tokens matches the pattern")
    ids, state = list(prompt_ids), 0
    for _ in range(max_new_tokens):
        token = int(constrain(next_logits(ids), allowed[state]).argmax())
        ids.append(token)
        if token in end_ids:
            return ids, True
        state = destinations[state, token]
    return ids, bool(accepting[state])

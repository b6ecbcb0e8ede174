"""Constrained decoding in plain Python. The encore's checker compares with it.

An automaton is a table ``[S, 256]`` of next states, or -1, and bools ``[S]`` that say
where a text may end. Everything here looks forwards, from one state at a time.
"""

from collections.abc import Callable, Sequence

import numpy as np

Arrows = dict[tuple[int, str], int]  # from a state, with any of some characters, to one


def automaton(
    size: int, arrows: Arrows, ends: Sequence[int], dtype: str = "int64"
) -> tuple[np.ndarray, np.ndarray]:
    """The table and the accepting states of an automaton with ``size`` states."""
    table = np.full([size, 256], -1, dtype)
    for (state, characters), following in arrows.items():
        for byte in characters.encode("latin-1"):
            table[state, byte] = following
    return table, np.isin(np.arange(size), ends)


def after(table: Sequence[Sequence[int]], state: int, token: bytes) -> int:
    """The state after a token's bytes, or -1."""
    if not token or state == -1:
        return state
    return after(table, table[state][token[0]], token[1:])


def destinations(table: np.ndarray, vocabulary: Sequence[bytes]) -> np.ndarray:
    """The state after each token with text, from each state: ``[S, V]``."""
    rows = table.tolist()
    return np.array(
        [[after(rows, i, t) if t else -1 for t in vocabulary] for i in range(len(rows))]
    )


def can_end(
    state: int, following: Sequence[set[int]], accepting: Sequence[bool]
) -> bool:
    """Whether some tokens lead from a state to one where the text may end."""
    seen, waiting = {state}, [state]
    while waiting:
        here = waiting.pop()
        if accepting[here]:
            return True
        waiting += following[here] - seen
        seen |= following[here]
    return False


def allowed(
    reached: np.ndarray, accepting: np.ndarray, end_ids: Sequence[int]
) -> np.ndarray:
    """Bools ``[S, V]``: the tokens that may follow in each state."""
    following = [set(row.tolist()) - {-1} for row in reached]
    open_states = [
        can_end(i, following, accepting.tolist()) for i in range(len(reached))
    ]
    found = np.array([[i >= 0 and open_states[i] for i in row] for row in reached])
    for end in end_ids:
        found[:, end] = accepting
    return found


def matching(
    next_logits: Callable[[list[int]], np.ndarray],
    prompt: list[int],
    pattern: tuple[np.ndarray, np.ndarray],
    vocabulary: Sequence[bytes],
    end_ids: Sequence[int],
    most: int,
) -> tuple[list[int], bool]:
    """The ids after greedy choice among what may follow, and whether they match."""
    table, accepting = pattern
    reached = destinations(table, vocabulary)
    may = allowed(reached, accepting, end_ids)
    new: list[int] = []
    state = 0
    while len(new) < most and not (new and new[-1] in end_ids):
        logits = next_logits(prompt + new)
        fitting = np.flatnonzero(may[state]).tolist()
        new.append(max(fitting, key=lambda i: (logits[i], -i)))
        state = reached[state, new[-1]]
    ended = bool(new) and new[-1] in end_ids
    return prompt + new, ended or bool(accepting[state])

"""The patterns of the lab: each with its prompt, its automaton and its dead ends."""

from typing import Any

import numpy as np

from book import play
from book.lab.packing import pack_array
from gpt2.decoding.automata import make_automaton
from gpt2.decoding.matching import Constraint, make_constraint

OUT = 255  # instead of a state, in the packed table
PATTERNS = [
    ("Yes|No", 'Tom asked, "Do you like my cat?" Lily said, "'),
    (r" [0-9]+ years old\.", "Tom is a little boy. He is"),
    (r' \{"name": "[A-Z][a-z]+", "age": [0-9]\}', "This is Lily's card:"),
]


def constraint(pattern: str) -> Constraint:
    """A pattern for the embedded model's vocabulary."""
    tokenizer = play.checkpoint().tokenizer
    tokens, ends = tokenizer.token_bytes, [*tokenizer.end_ids]
    return make_constraint(make_automaton(pattern), tokens, ends, len(tokens))


def pack_constraint(found: Constraint) -> dict[str, Any]:
    """Packs an automaton ``[S, 256]`` of fewer than 255 states.

    Most bytes have the same column as others. ``columns`` ``[C, S]`` has each column
    once, and ``column`` ``[256]`` says which one is a byte's. ``alive`` lists the
    states that are no dead ends: from there, tokens lead to the end of a text.
    """
    table = found.automaton.table
    columns, column = np.unique(table, axis=1, return_inverse=True)  # [S, C], [256]
    return {
        "columns": pack_array(np.where(columns < 0, OUT, columns).T.astype(np.uint8)),
        "column": pack_array(column.ravel().astype(np.uint8)),
        "accepting": np.flatnonzero(found.automaton.accepting).tolist(),
        "alive": np.flatnonzero(found.bits.any(axis=1)).tolist(),
    }


def patterns() -> list[dict[str, Any]]:
    """The packed patterns, each with the ids of its prompt."""
    return [
        {"pattern": pattern, "prompt": play.encode(prompt)}
        | pack_constraint(constraint(pattern))
        for pattern, prompt in PATTERNS
    ]

"""Attention calculated by hand: three tokens, D = 4.

The first three channels of queries and keys mean "somebody", "something done" and "a
place". The fourth has no meaning.
"""

import numpy as np

from book.figures._text import decimal
from tests.oracle import model as oracle

WORDS = ["Mia", "runs", "home"]
QUERY = np.array([[1, 1, 3, 0], [2, 0, 1, 0], [1, 2, 0, 0]])
KEY = np.array([[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0]])
VALUE = np.array([[4, 0, 0, 2], [0, 4, 0, 2], [0, 0, 4, 2]])
DOTS = QUERY @ KEY.T
SCORES = DOTS / np.sqrt(QUERY.shape[-1])
SHARES = oracle.softmax(SCORES + oracle.causal_mask(len(WORDS)))


def vector_rows() -> list[list[str]]:
    """A table of the example's queries, keys and values."""
    rows = [["token", "query", "key", "value"]]
    for word, *parts in zip(WORDS, QUERY, KEY, VALUE, strict=True):
        rows.append([word, *(" ".join(map(str, part)) for part in parts)])
    return rows


def home_rows() -> list[list[str]]:
    """A table of the last word's dot products, scores and shares."""
    steps = {
        "q · k": [str(dot) for dot in DOTS[2]],
        "÷ √4": [decimal(score) for score in SCORES[2]],
        "exp": [decimal(score) for score in np.exp(SCORES[2])],
        "share": [decimal(share) for share in SHARES[2]],
    }
    columns = zip(WORDS, *steps.values(), strict=True)
    return [["home asks", *steps], *map(list, columns)]


def mix_text() -> str:
    """The sum that gives the first channel of the last word's result."""
    shares, values = SHARES[2], VALUE[:, 0]
    terms = [f"{decimal(s, 3)}·{v}" for s, v in zip(shares, values, strict=True)]
    return f"{' + '.join(terms)} = {decimal(shares @ values)}"


def result_rows() -> list[list[str]]:
    """A table of every word's shares and result."""
    rows = [["token", "shares", "result"]]
    for word, shares, result in zip(WORDS, SHARES, SHARES @ VALUE, strict=True):
        rows.append([word, *(" ".join(map(decimal, r)) for r in (shares, result))])
    return rows

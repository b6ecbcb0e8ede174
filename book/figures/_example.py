"""Attention worked by hand: three tokens, D = 4.

The channels of a query and a key stand for "somebody", "something done", "a place" and
nothing in particular.
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
    """The queries, keys and values that the example starts from."""
    rows = [["token", "query", "key", "value"]]
    for word, *parts in zip(WORDS, QUERY, KEY, VALUE, strict=True):
        rows.append([word, *(" ".join(map(str, part)) for part in parts)])
    return rows


def home_rows() -> list[list[str]]:
    """The last word's way from dot products to shares."""
    steps = {
        "q · k": [str(dot) for dot in DOTS[2]],
        "÷ √4": [decimal(score) for score in SCORES[2]],
        "exp": [decimal(score) for score in np.exp(SCORES[2])],
        "share": [decimal(share) for share in SHARES[2]],
    }
    columns = zip(WORDS, *steps.values(), strict=True)
    return [["home asks", *steps], *map(list, columns)]


def mix_text() -> str:
    """How the last word's first channel comes about."""
    shares, values = SHARES[2], VALUE[:, 0]
    terms = [f"{decimal(s, 3)}·{v}" for s, v in zip(shares, values, strict=True)]
    return f"{' + '.join(terms)} = {decimal(shares @ values)}"


def result_rows() -> list[list[str]]:
    """Every word's shares and what it receives."""
    rows = [["token", "shares", "result"]]
    for word, shares, result in zip(WORDS, SHARES, SHARES @ VALUE, strict=True):
        rows.append([word, *(" ".join(map(decimal, r)) for r in (shares, result))])
    return rows

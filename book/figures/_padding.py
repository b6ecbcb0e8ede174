"""What the embedded model makes of a padded text, with and without corrections."""

from collections.abc import Iterator

import numpy as np

from book import play
from book.figures._words import code, percent
from tests.oracle import model as oracle

SHORT, LONG = "One day", "Once upon a time, there was a little"


def numbers() -> dict[str, str | list]:
    """The numbers of the section on padding."""
    length = len(play.encode(LONG))
    return {
        "pad_short": SHORT,
        "pad_long": LONG,
        "pad_tokens": f"{length - len(play.encode(SHORT))} of {length}",
        "padding": [*rows(play.encode(SHORT), length)],
    }


def rows(ids: list[int], length: int) -> Iterator[list[str]]:
    """Yields a table's rows: ways to pad ids to a length, and what each changes."""
    yield ["padding", "hidden", "first position", "moved", "likeliest next"]
    plain, pads = play.logits(ids)[-1], length - len(ids)
    padding = [play.checkpoint().tokenizer.end_of_text_id] * pads
    places = np.arange(length)
    own, shifted = places >= pads, np.maximum(places - pads, 0)
    left, right, every = padding + ids, ids + padding, places >= 0
    yield ["none", "", "0", percent(0), best(plain)]
    for *words, text, seen, positions, place in [
        ("left", "yes", "0", left, own, shifted, -1),
        ("left", "yes", f"{pads}", left, own, places, -1),
        ("left", "no", "0", left, every, shifted, -1),
        (
            "right, own last token",
            "by the causal mask",
            "0",
            right,
            every,
            places,
            len(ids) - 1,
        ),
        ("right, last column", "no", "0", right, every, places, -1),
    ]:
        found = read(text, seen, positions)[place]
        moved = np.abs(oracle.softmax(found) - oracle.softmax(plain)).sum() / 2
        yield [*words, percent(round(moved, 6)), best(found)]  # not of rounding


def best(logits: np.ndarray) -> str:
    """The likeliest token, as code."""
    return code(play.checkpoint().tokenizer.token(int(logits.argmax())))


def read(ids: list[int], seen: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The logits ``[T, V]`` of ids ``[T]`` at these positions ``[T]``.

    Args:
        ids: a padded text.
        seen: bool ``[T]``; other tokens are hidden from all tokens but themselves.
        positions: the row of the position table for each token.
    """
    weights = dict(play.trained())
    weights["wpe.weight"] = weights["wpe.weight"][positions]
    mask = oracle.causal_mask(len(ids))
    mask[:, ~seen] = -np.inf
    np.fill_diagonal(mask, 0)  # a row of -inf alone would become NaN
    with play.instead("causal_mask", lambda length: mask):
        return play.logits(ids, weights)

"""What the embedded model's logits become in formats with fewer bits.

Shapes: T tokens, V vocabulary. A format is a function that rounds float32 arrays.
"""

from collections.abc import Callable
from functools import cache
from math import floor, log2

import numpy as np

from book import held_out, play
from book.figures._text import percent, scientific
from book.figures._words import signed

Round = Callable[[np.ndarray], np.ndarray]
REAL = -43.4317, -39.8364, -43.0659  # of OpenAI's weights; "Is it the same?" says whose


def to_float32(x: np.ndarray) -> np.ndarray:
    return np.asarray(x, dtype=np.float32)


def to_float16(x: np.ndarray) -> np.ndarray:
    return to_float32(x).astype(np.float16).astype(np.float32)


def to_bfloat16(x: np.ndarray) -> np.ndarray:
    """Keeps the upper half of each float32, rounded to the nearest, ties to even."""
    bits = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32)
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    return (rounded & np.uint32(0xFFFF0000)).view(np.float32)


STORIES = 10
FORMATS: dict[str, tuple[Round, int, int, float]] = {
    # the rounding, bytes, bits of precision, the largest number
    "float32": (to_float32, 4, 24, float(np.finfo(np.float32).max)),
    "float16": (to_float16, 2, 11, float(np.finfo(np.float16).max)),
    "bfloat16": (to_bfloat16, 2, 8, (2 - 2**-7) * 2.0**127),
}


def spacing(x: float, precision: int) -> float:
    """The distance from ``x`` to its neighbours with so many bits of precision."""
    return 2.0 ** (floor(log2(abs(x))) + 1 - precision)


@cache
def logits() -> np.ndarray:
    """The embedded model's float32 logits ``[T, V]`` on held-out stories."""
    read = held_out.token_ids()[:STORIES]
    return to_float32(np.concatenate([play.logits(ids[:-1]) for ids in read]))


def numbers() -> dict[str, str | list]:
    """The numbers of the section on fewer bits."""
    apart = spacing(REAL[0], FORMATS["bfloat16"][2])
    rounded = to_bfloat16(np.array(REAL))
    return {
        "formats": formats(),
        "ties": ties(),
        "sums": sums(),
        "places": f"{len(logits()):,}",
        "stories": f"{STORIES}",
        "choices": f"{logits().shape[1]:,}",
        "stuck": f"{stuck():.0f}",
        "real_exact": listed(REAL, 4),
        "real_rounded": listed(rounded, 2),
        "apart": f"{apart:g}",
        "apart_factor": f"{np.exp(apart):.2f}",
    }


def listed(values: np.ndarray | tuple[float, ...], digits: int) -> str:
    *first, last = (signed(float(value), digits) for value in values)
    return f"{', '.join(first)} and {last}"


def formats() -> list[list[str]]:
    """A table of the formats."""
    rows = [
        ["format", "bytes", "bits of precision", "largest", "gap at 1", "gap at 40"]
    ]
    for name, (_, size, bits, most) in FORMATS.items():
        largest = f"{most:,.0f}" if most < 1e6 else scientific(most)
        gaps = (f"{spacing(x, bits):.2g}" for x in (1, 40))
        rows.append([name, f"{size}", f"{bits}", largest, *gaps])
    return rows


def ties() -> list[list[str]]:
    """A table of the equal logits at each place, and of ties for the best."""
    rows = [["logits in", "different values, on average", "places where the best tie"]]
    for name, (rounding, *_) in FORMATS.items():
        kept = rounding(logits())
        different = np.mean([len(np.unique(row)) for row in kept])
        tied = ((kept == kept.max(axis=-1, keepdims=True)).sum(axis=-1) > 1).sum()
        rows.append([name, f"{different:,.0f}", f"{tied}"])
    return rows


def sums() -> list[list[str]]:
    """A table of the sums of a softmax's shares, if all is computed in one format."""
    rows = [["softmax in", "probabilities sum to, in the median", "at worst"]]
    for name, (rounding, *_) in FORMATS.items():
        totals = shares_sum(rounding)
        worst = totals[np.abs(totals - 1).argmax()]
        rows.append([name, percent(np.median(totals), 1), percent(worst, 1)])
    return rows


def shares_sum(rounding: Round) -> np.ndarray:
    """The exact sums ``[T]`` of shares whose denominator is summed one by one."""
    kept = rounding(logits())
    parts = rounding(np.exp(rounding(kept - kept.max(axis=-1, keepdims=True))))
    total = np.zeros(len(parts), dtype=np.float32)
    for part in parts.T:
        total = rounding(total + part)
    return parts.sum(axis=-1, dtype=np.float64) / total


def stuck() -> float:
    """Where a bfloat16 sum of ones stops growing."""
    total, more = np.zeros(1, dtype=np.float32), np.ones(1, dtype=np.float32)
    while more > total:
        total, more = more, to_bfloat16(more + 1)
    return float(total[0])

"""Speculative decoding by counting all cases, without any random number.

A rule says how likely a guess is kept, and what replaces a rejected guess. Every other
rule than the right one is a guess at wrong code. Distributions are plain lists ``[V]``.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np

Shares = Sequence[float]
Ids = tuple[int, ...]


@dataclass(frozen=True)
class Rule:
    """A way of keeping and replacing guesses.

    Attributes:
        keep: the chance to keep a guess, from its p and its q.
        instead: the distribution that replaces a rejected guess, from p, q and its id.
    """

    keep: Callable[[float, float], float]
    instead: Callable[[Shares, Shares, int], Shares]


def scaled(weights: Shares) -> list[float]:
    """The weights, divided by their sum; all 0 if the sum is."""
    total = fsum(weights)
    return [weight / total if total else 0.0 for weight in weights]


def beyond(p: Shares, q: Shares) -> list[float]:
    """What ``p`` has beyond ``q``, scaled to a sum of 1; ``p`` if that is nothing."""
    more = [max(0.0, a - b) for a, b in zip(p, q, strict=True)]
    return scaled(more) if any(more) else list(p)


KEEP: dict[str, Callable[[float, float], float]] = {
    "min(1, p / q)": lambda p, q: min(1.0, p / q),
    "1, always": lambda p, q: 1.0,
    "p": lambda p, q: p,
    "1 if p ≥ q, else 0": lambda p, q: float(p >= q),
    "min(1, q / p)": lambda p, q: min(1.0, q / p) if p else 1.0,
    "1 - min(1, p / q)": lambda p, q: 1 - min(1.0, p / q),
    "q": lambda p, q: q,
    "p · q": lambda p, q: p * q,
    "min(1, (p / q)²)": lambda p, q: min(1.0, p / q) ** 2,
    "√min(1, p / q)": lambda p, q: min(1.0, p / q) ** 0.5,
}
INSTEAD: dict[str, Callable[[Shares, Shares, int], Shares]] = {
    "what p has beyond q": lambda p, q, token: beyond(p, q),
    "p": lambda p, q, token: p,
    "q": lambda p, q, token: q,
    "|p - q|": lambda p, q, token: scaled(
        [abs(a - b) for a, b in zip(p, q, strict=True)]
    ),
    "what q has beyond p": lambda p, q, token: beyond(q, p),
    "p without the guess": lambda p, q, token: scaled(
        [0 if other == token else share for other, share in enumerate(p)]
    ),
    "the likeliest of what p has beyond q": lambda p, q, token: likeliest(beyond(p, q)),
    "the likeliest of p": lambda p, q, token: likeliest(p),
    "all tokens alike": lambda p, q, token: [1 / len(p)] * len(p),
}
RULES = {
    f"kept with chance {keep}; drawn instead from {instead}": Rule(
        KEEP[keep], INSTEAD[instead]
    )
    for keep in KEEP
    for instead in INSTEAD
}
RIGHT = Rule(KEEP["min(1, p / q)"], INSTEAD["what p has beyond q"])


def likeliest(p: Shares) -> list[float]:
    """All probability at the highest of ``p``."""
    return [float(token == int(np.argmax(p))) for token in range(len(p))]


def verified(
    proposed: Sequence[int],
    q: Sequence[Shares],
    p: Sequence[Shares],
    rule: Rule = RIGHT,
) -> dict[Ids, float]:
    """The probability of everything that can come of these guesses.

    Args:
        proposed: K ids.
        q: the draft's distributions, K of them.
        p: the model's, one more.
        rule: how guesses are kept and replaced.
    """
    found: dict[Ids, float] = defaultdict(float)
    reached = 1.0
    for place, token in enumerate(proposed):
        chance = rule.keep(p[place][token], q[place][token])
        for other, share in enumerate(rule.instead(p[place], q[place], token)):
            found[(*proposed[:place], other)] += reached * (1 - chance) * share
        reached *= chance
    for other, share in enumerate(p[len(proposed)]):
        found[(*proposed, other)] += reached * share
    return {ids: share for ids, share in found.items() if share > 0}


def texts(follow: Sequence[Shares], last: int, length: int) -> dict[Ids, float]:
    """The probability of each text of ``length`` tokens after the id ``last``.

    ``follow`` has the distribution after each id.
    """
    found: dict[Ids, float] = {(): 1.0}
    for _ in range(length):
        found = {
            (*ids, token): chance * share
            for ids, chance in found.items()
            for token, share in enumerate(follow[ids[-1] if ids else last])
        }
    return {ids: chance for ids, chance in found.items() if chance > 0}

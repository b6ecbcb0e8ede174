"""Checks how often each possible result of a random function comes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from course.checks import CheckFailed
from tests.oracle import model as oracle

Outcome = tuple[int, ...]
SHOWN = 6  # possible results in a report


def expect_outcomes(
    found: Sequence[Sequence[int]],
    right: Mapping[Outcome, float],
    guesses: Mapping[str, Mapping[Outcome, float]],
    call: str,
) -> None:
    """Requires that lists of ids come as often as their probabilities say.

    The report shows the name of the guess that fits best, and the diagnosis compares
    names.

    Args:
        found: the lists that came.
        right: the probability of each list that can come.
        guesses: the probabilities of wrong code, by a name for the mistake.
        call: what was called, as the report shows it.
    """
    came = [tuple(ids) for ids in found]
    fitting = {name: g for name, g in guesses.items() if set(came) <= set(g)}
    strange = next((ids for ids in came if ids not in right), None)
    if strange is None and (counted := Counted.of(came, right)).plausible:
        return
    known = dict.fromkeys([*right, *came])
    likely = {
        name: counted.surprise
        for name, guess in fitting.items()
        if (counted := Counted.of(came, guess)).plausible
    }
    best = min(likely, key=likely.__getitem__, default=None)
    facts = [("called", call)]
    if strange is not None:
        facts += [("yours", f"{list(strange)}"), ("possible", shown(right))]
        message = "A result came that cannot come."
    else:
        facts += Counted.of(came, right).worst()
        message = "The tokens do not come with the right probabilities."
    if best:
        facts.append(("looks like", best))
    counts = [came.count(ids) for ids in known]
    raise CheckFailed(message, facts, (call, best or counts))


@dataclass(frozen=True)
class Counted:
    """How often each possible result came.

    Attributes:
        names: the possible results.
        shares: their probabilities.
        counts: how often each came.
    """

    names: list[Outcome]
    shares: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, came: Sequence[Outcome], table: Mapping[Outcome, float]) -> "Counted":
        """Counts results, all of which the table has."""
        places = {ids: number for number, ids in enumerate(table)}
        numbers = [places[ids] for ids in came]
        counts = np.bincount(numbers, minlength=len(table))
        return cls(list(table), np.array(list(table.values())), counts)

    @property
    def plausible(self) -> bool:
        """Whether the probabilities can give these counts."""
        return oracle.plausible(self.counts, self.shares)

    @property
    def surprise(self) -> float:
        """Minus the logarithm of the probability of what came."""
        return float(-self.counts @ np.log(np.maximum(self.shares, 1e-12)))

    def worst(self) -> list[tuple[str, str]]:
        """The result whose frequency is furthest off, as facts of a report."""
        found = self.counts / self.counts.sum()
        place = int(np.abs(found - self.shares).argmax())
        return [
            ("result", f"{list(self.names[place])}"),
            ("expected", f"a share near {self.shares[place]:.3f}"),
            ("yours", f"a share of {found[place]:.3f}"),
        ]


def shown(right: Mapping[Outcome, float]) -> str:
    """The results that can come, for a report."""
    lists = ", ".join(f"{list(ids)}" for ids in list(right)[:SHOWN])
    return f"{lists}, …" if len(right) > SHOWN else lists

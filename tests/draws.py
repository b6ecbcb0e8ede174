"""Checks that tokens are drawn with the right probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from course.checks import CheckFailed, require
from tests.oracle import model as oracle


@dataclass(frozen=True)
class Draws:
    """Tokens that one call has drawn.

    Attributes:
        ids: ``[N]``.
        p: the right probabilities, ``[V]``.
        guesses: probabilities of wrong code, by a name for the mistake.
        call: what was called, as the report shows it.
    """

    ids: np.ndarray
    p: np.ndarray
    guesses: Mapping[str, np.ndarray]
    call: str

    @property
    def counts(self) -> np.ndarray:
        return np.bincount(np.asarray(self.ids, int), minlength=len(self.p))

    def fit(self, guess: str) -> bool:
        """Says whether the frequencies can come from a guess."""
        return oracle.plausible(self.counts, self.guesses[guess])


def expect_drawn(draws: Sequence[Draws]) -> None:
    """Requires that the frequencies of ids fit the probabilities, in every call.

    The report shows the name of the guess that fits all calls best, and the diagnosis
    compares names.
    """
    for drawn in draws:
        known = bool(np.isin(drawn.ids, np.flatnonzero(drawn.p)).all())
        require(known, "A token was drawn that cannot come.", drawn.call, "impossible")
    for drawn in draws:
        if not oracle.plausible(drawn.counts, drawn.p):
            raise unlikely(drawn, draws)


def unlikely(drawn: Draws, draws: Sequence[Draws]) -> CheckFailed:
    """Describes draws that do not fit the right probabilities."""
    counts, p, number = drawn.counts, drawn.p, len(drawn.ids)
    fitting = {
        guess: counts @ np.log(drawn.guesses[guess] + 1e-12)
        for guess in drawn.guesses
        if all(each.fit(guess) for each in draws)
    }
    guess = max(fitting, key=fitting.__getitem__, default=None)
    facts = [
        ("called", drawn.call),
        ("expected", f"shares near {p.round(3).tolist()}"),
        ("yours", f"{(counts / number).round(3).tolist()}, {number} draws"),
    ]
    if guess:
        facts.append(("looks like", guess))
    message = "The tokens are not drawn with the right probabilities."
    return CheckFailed(message, facts, (drawn.call, guess or counts.tolist()))

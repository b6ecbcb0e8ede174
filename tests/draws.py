"""Checks that tokens are drawn with the right probabilities."""

from collections.abc import Mapping

import numpy as np

from course.checks import CheckFailed, require
from tests.oracle import model as oracle


def expect_drawn(
    draws: np.ndarray, p: np.ndarray, guesses: Mapping[str, np.ndarray], call: str
) -> None:
    """Requires that the frequencies of ids ``[N]`` fit the probabilities ``[V]``.

    Args:
        guesses: probabilities of wrong code, by a name for the mistake. The report
            shows the name that fits the draws, and the diagnosis compares names.
    """
    known = bool(np.isin(draws, np.flatnonzero(p)).all())
    require(known, "A token was drawn that cannot come.", call, "impossible")
    counts = np.bincount(np.asarray(draws, int), minlength=len(p))
    if oracle.plausible(counts, p):
        return
    guess = looks_like(counts, guesses)
    facts = [
        ("called", call),
        ("expected", f"shares near {p.round(3).tolist()}"),
        ("yours", f"{(counts / len(draws)).round(3).tolist()}, {len(draws)} draws"),
        ("looks like", guess),
    ]
    message = "The tokens are not drawn with the right probabilities."
    raise CheckFailed(message, facts, (call, guess))


def looks_like(counts: np.ndarray, guesses: Mapping[str, np.ndarray]) -> str:
    """The name of the likeliest guess, if the counts fit that guess."""
    likelihood = {g: counts @ np.log(p + 1e-12) for g, p in guesses.items()}
    best = max(likelihood, key=likelihood.__getitem__)
    fits = oracle.plausible(counts, guesses[best])
    return best if fits else f"nothing known: {counts.tolist()}"

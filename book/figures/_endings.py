"""A beam search by hand, in which texts of the letters a and b end with a full stop."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from book.figures._words import signed
from solutions.encore_beam_search import _best_continuations, _log_softmax, beam_search

TOKENS, END, BEAMS, LONGEST = "ab.", 2, 2, 9
FINISHED, BEAM = "**finished**", "a beam"  # two of the fates
AFTER = {  # the probabilities of a, b and the end after each text that is continued
    "": (0.5, 0.3, 0.2),
    "a": (0.3, 0.2, 0.5),
    "b": (0.9, 0.04, 0.06),
    "ba": (0.3, 0.1, 0.6),
    "aa": (0.4, 0.1, 0.5),
}


@dataclass(frozen=True)
class Candidate:
    """One of a round's likeliest continuations.

    Attributes:
        round, place: both counted from 1.
        text: the letters so far.
        sum: the sum of their log-probabilities.
        fate: what becomes of it.
    """

    round: int
    place: int
    text: str
    sum: float
    fate: str

    @property
    def score(self) -> float:
        """The text score with a length penalty of 1."""
        return self.sum / len(self.text)


def spelled(ids: np.ndarray) -> str:
    """The letters of ids."""
    return "".join(TOKENS[i] for i in ids)


def search() -> tuple[str, list[np.ndarray]]:
    """The winner, and the beams ``[N, T]`` at the beginning of each round."""
    rounds: list[np.ndarray] = []

    def next_logits(beams: np.ndarray) -> np.ndarray:
        rounds.append(beams)
        return np.log([AFTER[spelled(beam)] for beam in beams])

    ids, _ = beam_search(
        next_logits, [], num_beams=BEAMS, max_new_tokens=LONGEST, eos_token_id=END
    )
    return spelled(np.array(ids)), rounds


def candidates() -> Iterator[Candidate]:
    """The continuations that each round looks at, best first."""
    sums = {"": 0.0}
    for number, beams in enumerate(search()[1], start=1):
        following = _log_softmax(np.log([AFTER[spelled(beam)] for beam in beams]))
        known = np.array([sums[spelled(beam)] for beam in beams])
        found, totals = _best_continuations(beams, known, following, 2 * BEAMS)
        going = 0
        for place, (ids, total) in enumerate(zip(found, totals, strict=True), start=1):
            going += ids[-1] != END
            fate = fate_of(bool(ids[-1] == END), place, going)
            sums[spelled(ids)] = float(total)
            yield Candidate(number, place, spelled(ids), float(total), fate)


def fate_of(ended: bool, place: int, going: int) -> str:
    """What becomes of a candidate; ``going`` counts those that do not end, so far."""
    if ended:
        kept = place <= BEAMS
        return FINISHED if kept else f"dropped, an end at place {place}"
    return BEAM if going <= BEAMS else f"dropped, as {BEAMS} others go on"


def rows() -> list[list[str]]:
    """A table of the candidates."""
    head = ["round, place", "text", "sum of log p", "text score", "it is"]
    cells = [
        [f"{c.round}, {c.place}", f"`{c.text}`", signed(c.sum), signed(c.score), c.fate]
        for c in candidates()
    ]
    return [head, *cells]


def lowest_finished() -> Candidate:
    """The finished text with the lowest score."""
    done = [c for c in candidates() if c.fate == FINISHED]
    return min(done, key=lambda c: c.score)


def best_going() -> Candidate:
    """The best beam at the end of the last round."""
    last = len(search()[1])
    going = [c for c in candidates() if c.round == last and c.fate == BEAM]
    return max(going, key=lambda c: c.score)

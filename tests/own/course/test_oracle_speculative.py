"""The encore's distribution is the model's, exactly: every case is counted, none drawn.

A stand-in for the generator takes each way that a random number could decide.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from solutions import encore_speculative as encore
from tests import speculative_calls, test_encore_speculative
from tests.oracle import speculative as oracle
from tests.oracle.speculative import Ids

MODEL, DRAFT = test_encore_speculative.MODEL, test_encore_speculative.DRAFT


class Number:
    """A random number from 0 to 1 that is compared once."""

    def __init__(self, ways: "Ways") -> None:
        self._ways = ways

    def __ge__(self, threshold: float) -> bool:
        below = min(1.0, float(threshold))
        return self._ways.take([below, 1 - below]) == 1


class Ways:
    """A generator that follows given decisions, and then the first of each.

    Attributes:
        probability: that of all decisions so far.
        others: the decisions that lead elsewhere, from the first one not given.
    """

    def __init__(self, given: Sequence[int]) -> None:
        self._given, self._taken = list(given), list[int]()
        self.probability, self.others = 1.0, list[list[int]]()

    def take(self, shares: Sequence[float]) -> int:
        """Decides for one of several ways with these probabilities."""
        possible = [way for way, share in enumerate(shares) if share > 0]
        if len(self._taken) < len(self._given):
            way = self._given[len(self._taken)]
        else:
            way = possible[0]
            self.others += [[*self._taken, other] for other in possible[1:]]
        self._taken.append(way)
        self.probability *= shares[way]
        return way

    def random(self) -> Number:
        return Number(self)

    def choice(self, count: int, p: Sequence[float]) -> int:
        assert len(p) == count
        return self.take(p)


def every_result(function: Callable[[Any], Sequence[int]]) -> dict[Ids, float]:
    """The probability of every result of a function of a generator."""
    found: dict[Ids, float] = defaultdict(float)
    waiting: list[list[int]] = [[]]
    while waiting:
        rng = Ways(waiting.pop())
        found[tuple(function(rng))] += rng.probability
        waiting += rng.others
    return dict(found)


def same(found: dict[Ids, float], expected: dict[Ids, float]) -> None:
    """Requires two tables to be equal but for rounding."""
    assert found.keys() == expected.keys()
    for ids, share in expected.items():
        assert found[ids] == pytest.approx(share, abs=1e-14), ids


def decode(rng: Any, propose: Callable, length: int, guesses: int) -> list[int]:
    """Writes a text with the encore, from the id 0 on."""
    return encore.speculative_decode(
        speculative_calls.TableModel(MODEL),
        partial(propose, rng),
        [0],
        max_new_tokens=length,
        num_draft_tokens=guesses,
        rng=rng,
    )[1:]


def with_model(rng: Any, ids: list[int], count: int) -> encore.Proposal:
    draft = speculative_calls.TableModel(DRAFT)
    return encore.propose_with_model(draft, ids, count, rng)


def from_text(rng: Any, ids: list[int], count: int) -> encore.Proposal:
    return encore.propose_from_text(ids, count, len(MODEL))


def itself(rng: Any, ids: list[int], count: int) -> encore.Proposal:
    return encore.propose_with_model(
        speculative_calls.TableModel(MODEL), ids, count, rng
    )


@pytest.mark.parametrize("propose", [with_model, from_text, itself])
@pytest.mark.parametrize("guesses", [1, 2, 3])
def test_texts_have_exactly_the_models_distribution(
    propose: Callable, guesses: int
) -> None:
    found = every_result(lambda rng: decode(rng, propose, 4, guesses))
    same(found, oracle.texts(MODEL.tolist(), 0, 4))


def test_the_oracle_knows_what_each_round_gives() -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        q, p = rng.dirichlet(np.ones(4), 3), rng.dirichlet(np.ones(4), 4)
        proposed = rng.integers(0, 4, 3).tolist()
        found = every_result(partial(encore.verify, proposed, q, p))
        same(found, oracle.verified(proposed, q.tolist(), p.tolist()))


def test_every_wrong_rule_gives_another_distribution() -> None:
    q, p = test_encore_speculative.Q.tolist(), test_encore_speculative.P.tolist()
    right = [oracle.verified(guess, q, p) for guess in ([0, 1], [3, 2], [1, 1])]
    for name, rule in oracle.RULES.items():
        theirs = [oracle.verified(g, q, p, rule) for g in ([0, 1], [3, 2], [1, 1])]
        exact = rule == oracle.RIGHT
        assert (theirs == right) == exact, name


def test_greedy_choice_is_a_case_of_the_rule() -> None:
    one = np.eye(5)
    for proposed in ([0, 1, 2], [3, 1, 4]):
        found = every_result(partial(encore.verify, proposed, one[proposed], one[:4]))
        assert len(found) == 1

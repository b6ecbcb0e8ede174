"""Keeps texts on a pattern, with the encore on constrained decoding."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gpt2.decoding.automata import Automaton, PatternError
from gpt2.decoding.generation import Chooser, Step, Strategy
from solutions import encore_constrained


class Constrained(Protocol):
    """The interface of the encore: the solution's or a learner's module."""

    walk: Any
    token_destinations: Any
    allowed_tokens: Any
    constrain: Any


@dataclass(frozen=True)
class Constraint:
    """A pattern for one vocabulary; it can be sent to another process.

    Attributes:
        automaton: the pattern's automaton over bytes.
        bits: ``[S, V / 8]``, which tokens may follow in each state, 8 in a byte.
        size: V.
    """

    automaton: Automaton
    bits: np.ndarray
    size: int

    def allowed(self, state: int) -> np.ndarray:
        """Returns the tokens that may follow in a state: bools ``[V]``."""
        return np.unpackbits(self.bits[state], count=self.size).astype(bool)

    def check(self) -> None:
        """Raises ``PatternError`` if the tokens make no text of the pattern."""
        if not self.bits[0].any():
            raise PatternError("no text of this model's tokens matches the pattern")


def make_constraint(
    automaton: Automaton,
    vocabulary: Sequence[bytes],
    end_ids: Sequence[int],
    size: int,
    encore: Constrained = encore_constrained,
) -> Constraint:
    """Finds the tokens that may follow in each state of a pattern.

    Args:
        automaton: the pattern's automaton over bytes.
        vocabulary: the text of each of the tokenizer's tokens.
        end_ids: the tokens that end a text.
        size: the number of the model's logits, V.
        encore: the solution's module or a learner's.
    """
    tokens = [*vocabulary, *[b""] * (size - len(vocabulary))]
    destinations = encore.token_destinations(automaton.table, tokens)
    allowed = encore.allowed_tokens(destinations, automaton.accepting, list(end_ids))
    bits = np.packbits(np.asarray(allowed, dtype=bool), axis=1)
    return Constraint(automaton, bits, size)


class Matching:
    """A pattern, with what is needed to keep texts on it.

    Args:
        constraint: the pattern for the model's vocabulary.
        vocabulary: the text of each of the tokenizer's tokens.
        encore: the solution's module or a learner's.
    """

    def __init__(
        self,
        constraint: Constraint,
        vocabulary: Sequence[bytes],
        encore: Constrained = encore_constrained,
    ) -> None:
        self.constraint, self.vocabulary, self.encore = constraint, vocabulary, encore

    @property
    def pattern(self) -> str:
        """The regular expression."""
        return self.constraint.automaton.pattern

    def matches(self, new_ids: Sequence[int]) -> bool:
        """Whether the new tokens of a text make a text of the pattern."""
        place = Place(self)
        for token in new_ids:
            place.advance(token)
        return bool(self.constraint.automaton.accepting[place.state])

    def chooser(self, chooser: Chooser) -> Chooser:
        """Returns a chooser that keeps each text on the pattern from its beginning.

        The texts are told apart by their random generators.
        """
        places: defaultdict[np.random.Generator, Place] = defaultdict(
            lambda: Place(self)
        )

        def choose(
            logits: np.ndarray,
            ids: Sequence[int],
            strategy: Strategy,
            rng: np.random.Generator,
        ) -> Step:
            place = places[rng]
            step = chooser(place.constrain(logits), ids, strategy, rng)
            place.advance(step.id)
            return step

        return choose


class Place:
    """Where in a pattern a text is; at first at the beginning."""

    def __init__(self, matching: Matching) -> None:
        self._matching, self.state = matching, 0

    def constrain(self, logits: np.ndarray) -> np.ndarray:
        """Sets the logits ``[V]`` of tokens that may not follow to -inf."""
        allowed = self._matching.constraint.allowed(self.state)
        return self._matching.encore.constrain(logits, allowed)

    def advance(self, token: int) -> None:
        """Goes on by a token; an end token leaves the state as it is."""
        table, before = self._matching.constraint.automaton.table, [self.state]
        text = self._matching.vocabulary[token]
        self.state = int(self._matching.encore.walk(table, np.array(before), text)[0])

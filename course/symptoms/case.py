"""A comparison as the hypotheses see it, and a claim about all comparisons."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from course.comparison import Comparison, relative_error

STRICTEST = 1e-4  # a looser tolerance of a check would let wrong hypotheses pass
SHARE = 0.02  # what a hypothesis may leave unexplained of the largest difference
BITS = 12  # of whole numbers, before a claim about them is no chance
SAMPLE = 24  # numbers that are compared before all are


@dataclass(frozen=True)
class Case:
    """A comparison in float64, with its known quantities sorted by kind."""

    call: str
    yours: np.ndarray
    expected: np.ndarray
    arrays: Mapping[str, np.ndarray]
    numbers: Mapping[str, float]
    axes: tuple[str, ...]
    tolerance: float

    @classmethod
    def of(cls, comparison: Comparison) -> "Case":
        """Prepares a comparison."""
        known = {k: np.asarray(v, np.float64) for k, v in comparison.known.items()}
        expected = np.asarray(comparison.expected, np.float64)
        named = len(comparison.axes) == expected.ndim
        return cls(
            comparison.call,
            np.asarray(comparison.yours, np.float64),
            expected,
            {k: v for k, v in known.items() if v.ndim and v.size},
            {k: float(v) for k, v in known.items() if not v.ndim},
            comparison.axes if named else unnamed(expected.ndim),
            comparison.tolerance,
        )

    def changed(self, **parts: object) -> "Case":
        """The case with other arrays."""
        return replace(self, **parts)  # type: ignore[arg-type]

    @property
    def shaped(self) -> bool:
        """True if yours has the right shape."""
        return self.yours.shape == self.expected.shape

    @cached_property
    def errors(self) -> np.ndarray:
        """How far yours is from the right numbers; infinite where one is not finite."""
        return distance(self.yours, self.expected)

    @cached_property
    def wrong(self) -> np.ndarray:
        """Where the numbers differ."""
        return relative_error(self.yours, self.expected) > self.tolerance

    @cached_property
    def right(self) -> bool:
        """True if the comparison passes."""
        return self.shaped and not self.wrong.any()

    @cached_property
    def pairs(self) -> int:
        """How many different pairs of a right and a wrong number differ, at most 64."""
        where = np.flatnonzero(self.wrong)[:64]
        pairs = np.stack([self.expected.flat[where], self.yours.flat[where]], 1)
        return len({tuple(pair) for pair in pairs.astype(np.float32).tolist()})

    @cached_property
    def bits(self) -> float:
        """How much the wrong numbers tell: whole ones, such as ids, often agree."""
        both = np.concatenate([self.expected.ravel(), self.yours.ravel()])
        if not np.isfinite(both).all() or (both != np.round(both)).any():
            return np.inf
        values = len(np.unique(self.expected))
        return int(self.wrong.sum()) * np.log2(max(2, values))

    @cached_property
    def gap(self) -> float:
        """The largest finite difference, which a hypothesis has to explain."""
        errors = self.errors[self.wrong & np.isfinite(self.errors)]
        return float(errors.max()) if errors.size else np.inf

    @cached_property
    def sample(self) -> np.ndarray:
        """Places of a few numbers, in the order of memory."""
        size = self.expected.size
        return np.linspace(0, size - 1, min(SAMPLE, size)).astype(int)

    @cached_property
    def units(self) -> tuple[float, float]:
        """The units of yours and of the right result; errors scale with them."""
        return unit(self.yours), unit(self.expected)

    def fits(self, candidate: np.ndarray | None) -> bool:
        """True if the candidate equals yours within rounding."""
        return self._near(candidate, self.yours, self.units[0])

    def explains(self, candidate: np.ndarray | None) -> bool:
        """True if the candidate, made of yours, equals the right result."""
        return self._near(candidate, self.expected, self.units[1])

    def _near(
        self, candidate: np.ndarray | None, target: np.ndarray, unit: float
    ) -> bool:
        if candidate is None or not self.shaped or not target.size:
            return False
        if candidate.shape != target.shape:
            return False
        few = candidate.flat[self.sample], target.flat[self.sample]
        return self._allowed(*few, unit) and self._allowed(candidate, target, unit)

    def _allowed(self, candidate: np.ndarray, target: np.ndarray, unit: float) -> bool:
        size = np.abs(candidate)
        size = np.where(np.isfinite(size), np.maximum(unit, size), unit)
        limit = np.maximum(min(self.tolerance, STRICTEST) * size, 1e-6)
        errors = distance(candidate, target)
        return bool((errors <= np.minimum(limit, SHARE * self.gap)).all())

    def axis(self, name: str) -> int | None:
        """The number of the axis with this name."""
        return self.axes.index(name) if name in self.axes else None

    def length(self, name: str) -> int | None:
        """How long the axis with this name is."""
        return self.expected.shape[self.axes.index(name)] if name in self.axes else None

    @cached_property
    def quantities(self) -> list[tuple[str, np.ndarray]]:
        """The known arrays that can be added to the result, in its shape.

        A vector of several times the channels, such as the bias of query, key and
        value together, comes in parts.
        """
        shape, found = self.expected.shape, []
        for name, array in self.arrays.items():
            for part_name, part in parts(name, array, shape):
                if not is_constant(part):
                    found.append((part_name, np.broadcast_to(part, shape)))
        return found

    def called(self, name: str) -> list[np.ndarray] | None:
        """The quantities of one name; None if there are none."""
        return [array for n, array in self.quantities if n == name] or None


@dataclass(frozen=True)
class Claim:
    """What may be said about a failing check.

    Attributes:
        text: the sentence.
        holds: says of a case whether the sentence is true of it; None if the case has
            nothing of what the sentence names.
        needs: how many different numbers have to differ before the sentence is no
            chance.
    """

    text: str
    holds: Callable[[Case], bool | None]
    needs: int = 2

    def true_of(self, cases: Sequence[Case]) -> bool:
        """True if the claim holds on every case, and the evidence is enough."""
        return self.supported(cases) and all(self._allows(case) for case in cases)

    def supported(self, cases: Sequence[Case]) -> bool:
        """True if enough different numbers differ."""
        differing = [case for case in cases if not case.right]
        single = all(case.expected.size == 1 for case in differing)
        count = sum(case.pairs for case in differing)
        if self.needs > 1 and sum(case.bits for case in differing) < BITS:
            return False
        return count >= (1 if single and self.needs < 3 else self.needs)

    def _allows(self, case: Case) -> bool:
        held = self.holds(case)
        return case.right if held is None else bool(held)


Propose = Callable[[Sequence[Case], Case], Iterator[Claim]]


def differing(cases: Sequence[Case]) -> list[Case]:
    """The cases that are not right."""
    return [case for case in cases if not case.right]


def first_true(
    families: Sequence[Propose], cases: Sequence[Case], case: Case
) -> str | None:
    """The first claim that is true of all cases; it is proposed from one of them."""
    for propose in families:
        for claim in propose(cases, case):
            if claim.true_of(cases):
                return claim.text
    return None


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a − b|: 0 for equal infinities and for two NaNs, infinite for other such."""
    errors = np.abs(a - b)
    if np.isfinite(errors).all():
        return errors
    equal = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(equal, 0.0, np.where(np.isnan(errors), np.inf, errors))


def is_constant(x: np.ndarray) -> bool:
    """True if all finite numbers are equal."""
    finite = x[np.isfinite(x)]
    return not finite.size or bool(
        np.ptp(finite) <= 1e-6 * max(1, np.abs(finite).max())
    )


def unit(x: np.ndarray) -> float:
    """The largest finite size of the numbers, at most 1."""
    size = np.abs(x)
    return min(1.0, float(size.max(initial=0.0, where=np.isfinite(size))))


def unnamed(ndim: int) -> tuple[str, ...]:
    """Names for axes that have none."""
    if ndim <= 2:
        return ("row", "column")[2 - ndim :]
    return tuple(f"slice of axis {i}" for i in range(ndim))


def parts(
    name: str, array: np.ndarray, shape: tuple[int, ...]
) -> Iterator[tuple[str, np.ndarray]]:
    """The array, or its parts, that broadcast to a shape."""
    pairs = zip(array.shape[::-1], shape[::-1], strict=False)
    if array.ndim <= len(shape) and all(a in (1, b) for a, b in pairs):
        yield name, array
    elif array.ndim == 1 and shape and array.size == 3 * shape[-1]:
        for third in np.split(array, 3):
            yield f"its third of {name}", third

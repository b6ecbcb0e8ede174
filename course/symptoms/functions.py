"""Hypotheses: a function is missing, or stands once too often."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import erf, sqrt

import numpy as np

from course.symptoms.case import Case, Claim
from course.symptoms.size import slope, sums_to_one
from course.symptoms.words import in_full, named_number, names_of
from tests.oracle.model import gelu, softmax

Function = Callable[[np.ndarray], np.ndarray]


def log_softmax(x: np.ndarray) -> np.ndarray:
    """The logarithm of softmax along the last axis."""
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softmax_of_all(x: np.ndarray) -> np.ndarray:
    """Softmax over all numbers together."""
    return softmax(x.reshape(-1)).reshape(x.shape)


def exact_gelu(x: np.ndarray) -> np.ndarray:
    """GELU by the normal distribution (Hendrycks and Gimpel 2016, section 2)."""
    return 0.5 * x * (1 + np.vectorize(erf, otypes=[float])(x / sqrt(2)))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x))."""
    return 0.5 * (1 + np.tanh(0.5 * x))


ACTIVATIONS: list[tuple[str, Function]] = [
    ("ReLU", lambda x: np.maximum(x, 0)),
    ("GELU in its tanh form", gelu),
    ("the exact GELU", exact_gelu),
    ("SiLU, x · sigmoid(x),", lambda x: x * sigmoid(x)),
    ("GELU's rough form, x · sigmoid(1.702 x),", lambda x: x * sigmoid(1.702 * x)),
    ("tanh", np.tanh),
    ("sigmoid", sigmoid),
]
# What yours may be of a known quantity, number by number.
OF_KNOWN: list[tuple[str, Function]] = [
    *ACTIVATIONS,
    ("exp", np.exp),
    ("the logarithm", np.log),
    ("the square", np.square),
    ("the square root", np.sqrt),
]
# What yours is of the right result, and what that means.
APPLIED: list[tuple[str, Function]] = [
    ("exp of the right result: a logarithm is missing", np.exp),
    ("the logarithm of the right result: it is one logarithm too far", np.log),
    ("softmax of the right result: it is one softmax too far", softmax),
    ("the logarithm of softmax of the right result", log_softmax),
    ("softmax of the right result over all numbers together", softmax_of_all),
    ("the square of the right result: a square root is missing", np.square),
    ("the square root of the right result", np.sqrt),
    ("one over the right result", np.reciprocal),
    ("tanh of the right result", np.tanh),
    ("GELU of the right result: it is one GELU too far", gelu),
    ("the right result without its signs", np.abs),
    ("the right result with 0 for every negative number", lambda x: np.maximum(x, 0)),
    ("the right result with 0 for every positive number", lambda x: np.minimum(x, 0)),
]
# What the right result is of yours, where the function has no inverse above.
MISSING: list[tuple[str, Function]] = [
    ("Softmax is missing: the right result is softmax of yours.", softmax),
    (
        "The logarithm of softmax is missing: the right result is that of yours.",
        log_softmax,
    ),
    (
        "Softmax over all numbers together is missing: the right result is that of "
        "yours.",
        softmax_of_all,
    ),
    ("tanh is missing: the right result is tanh of yours.", np.tanh),
]


def applied(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours is a function of the right result, or the other way round."""
    both_signs = (case.expected < 0).any() and (case.expected > 0).any()
    for text, function in APPLIED:
        if not both_signs and "every" in text:
            continue
        yield Claim(
            f"Yours is {text}.",
            partial(is_applied, function=function),
            3,
        )
    for text, function in MISSING:
        yield Claim(text, partial(is_missing, function=function), 3)


def tempered(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Both are softmax of the same logits, those of yours times a number."""
    factor = power(case)
    if factor is None:
        return
    text = "Yours is softmax of the right logits times"
    size = in_full(case, factor)
    yield Claim(f"{text} {size}.", partial(is_tempered, factor=factor), 4)
    for name in names_of(case, factor):
        yield Claim(f"{text} {name}.", partial(is_tempered_by, name=name), 4)


def power(case: Case) -> float | None:
    """The number by which the logarithms of the right result have to be multiplied."""
    shaped = case.shaped and case.expected.ndim > 0
    if not shaped or not (
        sums_to_one(case.expected, -1) and sums_to_one(case.yours, -1)
    ):
        return None
    both = (case.expected > 0) & (case.yours > 0)
    logs = [np.log(np.where(both, x, 1.0)) for x in (case.expected, case.yours)]
    count = np.maximum(both.sum(-1, keepdims=True), 1)
    e, y = (np.where(both, x - x.sum(-1, keepdims=True) / count, 0.0) for x in logs)
    return slope(e, y) or None


def is_tempered(case: Case, factor: float) -> bool:
    """Says whether yours is softmax of the right logits times a number."""
    return case.shaped and case.fits(softmax(factor * np.log(case.expected)))


def is_tempered_by(case: Case, name: str) -> bool | None:
    """Says whether yours is softmax of the right logits times a number with a name."""
    value = named_number(case, name)
    return None if value is None else is_tempered(case, value)


def of_known(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours is a function of a known quantity."""
    few = case.yours.flat[case.sample]
    for name, array in case.quantities:
        for text, function in OF_KNOWN:
            if np.allclose(function(array.flat[case.sample]), few, 1e-4, 1e-4):
                holds = partial(is_of_known, name=name, function=function)
                yield Claim(f"Yours is {text} of {name}.", holds, 4)


def is_of_known(case: Case, name: str, function: Function) -> bool | None:
    """Says whether yours is a function of a known quantity."""
    arrays = case.called(name)
    if arrays is None:
        return None
    return any(case.fits(function(array)) for array in arrays)


def is_applied(case: Case, function: Function) -> bool:
    """Says whether yours is a function of the right result."""
    return case.fits(function(case.expected))


def is_missing(case: Case, function: Function) -> bool:
    """Says whether the function of yours is the right result."""
    if not case.shaped or not case.expected.size:
        return False
    if not case.explains(function(case.yours)):
        return False
    return len(np.unique(np.round(case.expected, 4))) >= 3  # else it may saturate

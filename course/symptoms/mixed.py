"""Hypotheses: yours adds known quantities, each a small number of times."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from course.symptoms.case import Case, Claim
from course.symptoms.known import Terms, equals

MOST = 10  # quantities that are tried: more take long
FACTORS = np.arange(-8, 9) / 2  # 4, 1/2 and the like; others would be chance


def mixed(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours is a sum of two or three quantities of the result's own shape."""
    if not np.isfinite(case.yours).all() or case.yours.size < 12:
        return
    own = [(n, a) for n, a in case.quantities if case.arrays.get(n) is not None]
    whole = [(n, a) for n, a in own if case.arrays[n].shape == a.shape][:MOST]
    for count in (2, 3):
        for chosen in combinations(whole, count):
            if terms := terms_of(case, chosen):
                text = f"Yours is {told(terms)}."
                if right := terms_of(case.changed(yours=case.expected), chosen):
                    text = f"{text[:-1]}; the right result is {told(right)}."
                yield Claim(text, equals(terms), 8)


def terms_of(case: Case, chosen: Sequence[tuple[str, np.ndarray]]) -> Terms | None:
    """The small factors with which the quantities add up to yours; None if none do."""
    arrays = np.stack([array.ravel() for _, array in chosen], axis=1)
    sample = arrays[case.sample]
    factors, *_ = np.linalg.lstsq(sample, case.yours.flat[case.sample], rcond=None)
    near = FACTORS[np.abs(FACTORS - factors[:, None]).argmin(axis=1)]
    if (np.abs(near - factors) > 1e-3).any() or not near.all():
        return None
    if not np.allclose(sample @ near, case.yours.flat[case.sample], atol=1e-3):
        return None
    return [(name, float(f)) for (name, _), f in zip(chosen, near, strict=True)]


def told(terms: Terms) -> str:
    """A sum in words and signs."""
    text = ""
    for name, factor in terms:
        sign = " − " if factor < 0 else " + " if text else ""
        size = "" if abs(factor) == 1 else f"{abs(factor):g} · "
        text += f"{sign}{size}{name}"
    return text.strip()

"""Measures the diversity of texts and the repetition in a text, with n-grams."""

from collections.abc import Iterable, Sequence

RUN = 4  # tokens; shorter n-grams repeat in good texts too


def ngrams(ids: Sequence[int], n: int) -> list[tuple[int, ...]]:
    """Returns all n-grams of tokens, in order; none for a text shorter than n."""
    return [tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)]


def distinct(texts: Iterable[Sequence[int]], n: int) -> float | None:
    """Returns the share of different n-grams among all n-grams of all texts.

    Returns:
        A number above 0, up to 1 if no n-gram repeats; None if there are no n-grams.

    Source: Li et al. 2016, "A Diversity-Promoting Objective Function for Neural
    Conversation Models", section 5 (distinct-1 and distinct-2; the paper divides by
    the number of tokens).
    """
    runs = [run for ids in texts for run in ngrams(ids, n)]
    return len(set(runs)) / len(runs) if runs else None


def repetition(ids: Sequence[int], n: int = RUN) -> float | None:
    """Returns the share of n-grams that repeat an earlier one; None without n-grams.

    Source: Welleck et al. 2020, "Neural Text Generation with Unlikelihood Training"
    (seq-rep-n).
    """
    fresh = distinct([ids], n)
    return None if fresh is None else 1 - fresh


def repeats(ids: Sequence[int], n: int = RUN) -> list[bool]:
    """Returns for each token whether its n-gram repeats an earlier one.

    A token's n-gram is the one that ends with the token.
    """
    runs = ngrams(ids, n)
    seen: set[tuple[int, ...]] = set()
    found = [False] * min(n - 1, len(ids))
    for run in runs:
        found.append(run in seen)
        seen.add(run)
    return found

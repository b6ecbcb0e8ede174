"""How varied texts are, and how much one repeats itself, counted in runs of tokens."""

from collections.abc import Iterable, Sequence

RUN = 4  # tokens: shorter runs repeat in good texts too


def ngrams(ids: Sequence[int], n: int) -> list[tuple[int, ...]]:
    """Every run of n tokens, in order; there are none in a shorter text."""
    return [tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)]


def distinct(texts: Iterable[Sequence[int]], n: int) -> float | None:
    """The share of different ones among all runs of n tokens of all texts.

    Returns:
        Above 0 and up to 1, which means that none comes twice; None without any run.

    Source: Li et al. 2016, "A Diversity-Promoting Objective Function for Neural
    Conversation Models", section 5 (distinct-1 and distinct-2, which are there divided
    by the number of tokens).
    """
    runs = [run for ids in texts for run in ngrams(ids, n)]
    return len(set(runs)) / len(runs) if runs else None


def repetition(ids: Sequence[int], n: int = RUN) -> float | None:
    """The share of runs of n tokens that the text had before: 0 for none.

    Source: Welleck et al. 2020, "Neural Text Generation with Unlikelihood Training"
    (seq-rep-n).
    """
    fresh = distinct([ids], n)
    return None if fresh is None else 1 - fresh


def repeats(ids: Sequence[int], n: int = RUN) -> list[bool]:
    """For each token, whether the run of n that ends with it was there before."""
    runs = ngrams(ids, n)
    seen: set[tuple[int, ...]] = set()
    found = [False] * min(n - 1, len(ids))
    for run in runs:
        found.append(run in seen)
        seen.add(run)
    return found

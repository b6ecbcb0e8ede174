"""Draws pictures of decoding on matplotlib axes, for the command and for the book.

The current style gives the colours: ``C0`` for kept tokens, the grid's colour for
removed tokens. ``name`` returns the label for a token's id. Logits are ``[V]``.
"""

from collections.abc import Callable, Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from gpt2.commands.diversity import Diversity
from solutions.encore_sampling import (
    next_token_probabilities,
    softmax,
    top_k_filter,
    top_p_filter,
    top_tokens,
)

Name = Callable[[int], str]


def next_token(axes: Axes, logits: np.ndarray, name: Name, count: int = 10) -> None:
    """Draws the likeliest next tokens as bars, with the likeliest on top."""
    best = top_tokens(softmax(logits), count)
    shares = [100 * chance for _, chance in best]
    bars = axes.barh(range(len(best)), shares, color="C0")
    axes.bar_label(bars, [f"{share:.1f} %" for share in shares], padding=3)
    axes.set_yticks(range(len(best)), [label(name(token)) for token, _ in best])
    axes.invert_yaxis()
    axes.set_xlabel("probability in %")
    axes.margins(x=0.15)  # room for the last label


def temperature(
    axes: Axes,
    logits: np.ndarray,
    name: Name,
    temperatures: Sequence[float] = (0.5, 1.0, 2.0),
    count: int = 8,
) -> None:
    """Draws the same tokens' probabilities at several temperatures, side by side."""
    tokens = [token for token, _ in top_tokens(logits, count)]
    width = 0.8 / len(temperatures)
    for place, value in enumerate(temperatures):
        chances = next_token_probabilities(logits, temperature=value)[tokens]
        left = np.arange(len(tokens)) + (place - (len(temperatures) - 1) / 2) * width
        axes.bar(left, 100 * chances, width, label=f"temperature {value:g}")
    axes.set_xticks(range(len(tokens)), [label(name(token)) for token in tokens])
    axes.tick_params(axis="x", rotation=45)
    axes.set_ylabel("probability in %")
    axes.legend()


def top_k(
    axes: Axes, logits: np.ndarray, name: Name, k: int = 5, count: int = 20
) -> None:
    """Draws the tokens that top-k keeps: always k tokens, likely or not."""
    _kept(axes, logits, top_k_filter(logits, k), name, count)


def top_p(
    axes: Axes, logits: np.ndarray, name: Name, p: float = 0.9, count: int = 20
) -> None:
    """Draws the tokens that top-p keeps: the fewest that reach p together.

    The line is the sum of the bars so far. It reaches p at the last kept token.
    """
    _kept(axes, logits, top_p_filter(logits, p), name, count)
    sums = [chance for _, chance in top_tokens(softmax(logits), count)]
    axes.plot(range(len(sums)), 100 * np.cumsum(sums), "C1.-", label="sum so far")
    axes.axhline(100 * p, color="C1", linestyle="--", label=f"p = {p:g}")
    axes.legend(loc="center right")


def _kept(
    axes: Axes, logits: np.ndarray, filtered: np.ndarray, name: Name, count: int
) -> None:
    """Draws the likeliest tokens as bars; the title counts the kept tokens."""
    chances = softmax(logits)
    best = top_tokens(chances, count)
    stays = np.isfinite(filtered)
    removed = mpl.rcParams["grid.color"]
    colors = ["C0" if stays[token] else removed for token, _ in best]
    axes.bar(range(len(best)), [100 * chance for _, chance in best], color=colors)
    axes.set_xticks(range(len(best)), [label(name(token)) for token, _ in best])
    axes.tick_params(axis="x", rotation=90)
    axes.set_ylabel("probability in %")
    number, share = stays.sum(), chances[stays].sum()
    axes.set_title(f"keeps {number} of {len(logits)}, {share:.0%} of the probability")


def diversity(axes: Axes, rows: Sequence[Diversity]) -> None:
    """Draws the shares of different texts and token pairs by temperature."""
    temperatures = [row.temperature for row in rows]
    different = [100 * row.different / row.samples for row in rows]
    pairs = [np.nan if row.distinct_2 is None else 100 * row.distinct_2 for row in rows]
    samples = rows[0].samples
    axes.plot(temperatures, different, "C0o-", label=f"different texts of {samples}")
    axes.plot(temperatures, pairs, "C1s-", label="different pairs of tokens")
    axes.set_xlabel("temperature")
    axes.set_ylabel("in %")
    axes.set_ylim(0, 105)
    axes.legend()


def seconds_per_token(axes: Axes, seconds: Mapping[str, Sequence[float]]) -> None:
    """Draws the time for each further token, with a line for every engine.

    Args:
        axes: the chart.
        seconds: for each engine's name, the seconds of a token after 1, 2, ... tokens.
    """
    for name, values in seconds.items():
        lengths = range(1, len(values) + 1)
        axes.plot(lengths, [1000 * value for value in values], label=name)
    axes.set_xlabel("tokens before it")
    axes.set_ylabel("milliseconds for one token")
    axes.set_ylim(bottom=0)
    axes.legend()


def label(token: str) -> str:
    """Escapes $ in a token's text, because $ starts a formula in matplotlib."""
    return token.replace("$", r"\$")

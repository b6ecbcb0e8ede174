"""Figures and numbers of the encore on speculative decoding.

``python -m benchmarks.speculative --out benchmarks/results`` records the times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.machine import described
from book import held_out, play
from book.figures import style
from book.figures._measured import result
from book.figures._words import code, percent
from solutions.encore_sampling import softmax, temperature_scale
from solutions.encore_speculative import (
    look_up,
    propose_with_model,
    speculative_round,
)

PROMPT = "Once upon a time, there was a little girl named Lily. She had a"
NEW, GUESSES, LAYERS = 24, 4, 2  # tokens, guesses a round, layers of the draft
TEMPERATURES = (0.0, 0.7, 1.0)
RATES, COUNTS = (0.5, 0.7, 0.8, 0.9), (1, 2, 4, 8)  # of the table of expected tokens
STORIES = 40  # for the share of kept guesses
# The draft's and the model's distribution in the drawing of the rule.
Q = np.array([0.38, 0.27, 0.20, 0.10, 0.05])
P = np.array([0.18, 0.27, 0.12, 0.25, 0.18])
EARNS = 1.05  # less than this is "as fast as without"


@dataclass(frozen=True)
class Round:
    """One call of the model: what was guessed, and the new tokens."""

    guessed: list[int]
    new: list[int]

    @property
    def kept(self) -> list[int]:
        """The guesses that stayed."""
        return self.new[:-1]

    @property
    def rejected(self) -> list[int]:
        """The guesses that did not."""
        return self.guessed[len(self.kept) :]


def distributions(
    ids: Sequence[int], count: int, *, layers: int | None = None, temperature: float = 0
) -> np.ndarray:
    """The embedded model as the encore wants it, with all or its first layers."""
    logits = logits_of(tuple(ids), layers)[-count:]
    return np.array([softmax(temperature_scale(row, temperature)) for row in logits])


@cache
def rounds() -> list[Round]:
    """The rounds of a greedy text that the model's first layers draft."""
    rng, ids, found = np.random.default_rng(0), play.encode(PROMPT), []
    end = len(ids) + NEW
    draft = partial(distributions, layers=LAYERS)
    while len(ids) < end:
        guessed: list[int] = []

        def propose(
            text: list[int], count: int, guessed: list[int] = guessed
        ) -> tuple[list[int], np.ndarray]:
            proposed, q = propose_with_model(draft, text, count, rng)
            guessed += proposed
            return proposed, q

        most = min(GUESSES, end - len(ids) - 1)
        new = speculative_round(distributions, propose, ids, most, rng)
        found.append(Round(guessed, new))
        ids = ids + new
    return found


def figures() -> dict[str, Figure]:
    return {"rounds": rounds_figure(), "rule": rule_figure()}


def rounds_figure() -> Figure:
    """A row for each round: kept guesses, the model's own token, rejected guesses."""
    figure, axes = style.canvas(22 + 34 * len(rounds()))
    for number, one in enumerate(rounds()):
        top, left = 10 + 34 * number, 34.0
        style.label(axes, 14, top + 13, f"{number + 1}", color=style.MUTED)
        for token in one.kept:
            left = box(axes, left, top, token, style.BLUE, 0.18)
        left = box(axes, left, top, one.new[-1], style.ORANGE, 0.0, fontweight="bold")
        for token in one.rejected:
            left = box(axes, left, top, token, style.GRID, 0.0, color=style.MUTED)
    return figure


def box(
    axes: Axes, left: float, top: float, token: int, edge: str, strength: float, **text
) -> float:
    """Draws one token; a muted one is struck out. Returns where the next one begins."""
    shown = style.token(play.checkpoint().tokenizer.token(token))
    width = 16 + 7.6 * len(shown)
    style.box(axes, left, top, width, 26, color=edge, strength=strength)
    small = {"fontsize": style.SMALL, **text}
    style.label(axes, left + width / 2, top + 13, shown, **small)
    if text.get("color") == style.MUTED:
        ends = [left + 5, left + width - 5]
        axes.plot(ends, [top + 13, top + 13], color=style.MUTED, linewidth=1)
    return left + width + 6


def rule_figure() -> Figure:
    """What the draft proposes and what is kept of it; what the text has in the end."""
    figure, (left, right) = style.charts(250, columns=2, sharey=True)
    kept, places = np.minimum(P, Q), np.arange(len(P))
    left.bar(places, kept, color=style.BLUE, label="kept")
    left.bar(places, Q - kept, bottom=kept, color="none", edgecolor=style.MUTED)
    left.bar(0, 0, color="none", edgecolor=style.MUTED, label="rejected")
    left.set_title("the draft's guesses, q")
    right.bar(places, kept, color=style.BLUE)
    right.bar(places, P - kept, bottom=kept, color=style.ORANGE, label="replacements")
    right.set_title("the text, p")
    for axes in (left, right):
        axes.set_xticks(places, [f"token {place}" for place in places])
        axes.tick_params(axis="x", length=0)
        axes.legend()
    return figure


def numbers() -> dict[str, str | list]:
    calls = len(rounds())
    return {
        "prompt": PROMPT,
        "draft_tokens": f"{GUESSES}",
        "draft_layers": f"{LAYERS}",
        "all_layers": f"{play.checkpoint().config.n_layer}",
        "new": f"{NEW}",
        "calls": f"{calls}",
        "rounds": rounds_table(),
        "rejected": percent(float(1 - np.minimum(P, Q).sum())),
        "expected": expected(),
        "kept": kept_table(),
        "stories": f"{STORIES}",
        "machine": described(result("speculative")),
        "speeds": speeds(),
        "verdict": verdict(),
        "call_costs": call_costs(),
    }


def rounds_table() -> list[list[str]]:
    """A table of the first rounds: what is guessed, kept and added."""
    rows = [["call", "the draft guesses", "the new tokens"]]
    for number, one in enumerate(rounds(), start=1):
        rejected = [f"~~{name(token)}~~" for token in one.rejected]
        guessed = " ".join([*map(name, one.kept), *rejected])
        new = " ".join([*map(name, one.kept), f"**{name(one.new[-1])}**"])
        rows.append([f"{number}", guessed or "–", new])
    return rows


def name(token: int) -> str:
    return code(play.checkpoint().tokenizer.token(token))


def expected() -> list[list[str]]:
    """A table of the tokens for one call, by α and the number of guesses."""
    rows = [["α", *(f"K = {count}" for count in COUNTS)]]
    for rate in RATES:
        means = [(1 - rate ** (count + 1)) / (1 - rate) for count in COUNTS]
        rows.append([f"{rate:g}", *(f"{mean:.2f}" for mean in means)])
    return rows


def kept_table() -> list[list[str]]:
    """A table of the share of guesses that are kept, by draft and temperature."""
    head = [f"temperature {t:g}" if t else "greedy" for t in TEMPERATURES]
    rows = [["draft", *head]]
    most = play.checkpoint().config.n_layer
    for layers in range(1, most):
        title = f"the first {layers} of {most} layers" if layers > 1 else "one layer"
        shares = [kept_of_layers(layers, t) for t in TEMPERATURES]
        rows.append([title, *map(percent, shares)])
    shares = [kept_of_text(t)[0] for t in TEMPERATURES]
    title = f"n-gram (a guess at {percent(kept_of_text(0)[1])} of the places)"
    return [*rows, [title, *map(percent, shares)]]


@cache
def logits_of(ids: tuple[int, ...], layers: int | None = None) -> np.ndarray:
    """The embedded model's logits ``[T, V]``, of all layers or of the first ones."""
    count = layers or play.checkpoint().config.n_layer
    return play.logits(list(ids), n_layer=count)


def stories() -> list[tuple[int, ...]]:
    """The ids of some held-out stories."""
    return [tuple(ids[:-1]) for ids in held_out.token_ids()[:STORIES]]


def chances(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Distributions ``[T, V]`` at a temperature; 0 is greedy."""
    return np.array([softmax(temperature_scale(row, temperature)) for row in logits])


def kept_of_layers(layers: int, temperature: float) -> float:
    """The mean of α over all places of the stories."""
    shares: list[float] = []
    for ids in stories():
        p = chances(logits_of(ids), temperature)
        q = chances(logits_of(ids, layers), temperature)
        shares += np.minimum(p, q).sum(axis=-1).tolist()
    return float(np.mean(shares))


def kept_of_text(temperature: float) -> tuple[float, float]:
    """The share of n-gram guesses that are kept, and of places with a guess."""
    shares, places = [], 0
    for ids in stories():
        p = chances(logits_of(ids), temperature)
        for place in range(len(ids)):
            found = look_up(list(ids[: place + 1]), 1)
            shares += [float(p[place, token]) for token in found]
        places += len(ids)
    return float(np.mean(shares)), len(shares) / places


def speeds() -> list[list[str]]:
    """A table of the measured rates, by model, draft and temperature."""
    rows = [
        ["model", "draft", "temperature", "tokens/s", "as fast as without", "calls"]
    ]
    for row in result("speculative")["speeds"]:
        rate = row["tokens_per_second"]
        spread = f"{rate['median']:.0f} ({rate['low']:.0f} to {rate['high']:.0f})"
        faster = f"{row['faster']:.2f}" if row["draft"] != "no draft" else "1"
        calls = f"{row['calls_per_token']:.2f}"
        names = [row["model"], f"{row['draft']}", f"{row['temperature']:g}"]
        rows.append([*names, spread, faster, calls])
    return rows


def verdict() -> str:
    """A sentence on the cases in which the drafts were faster."""
    drafted = [
        row for row in result("speculative")["speeds"] if row["draft"] != "no draft"
    ]
    faster = [row for row in drafted if row["faster"] >= EARNS]
    if not faster:
        return "In none of these cases does the draft pay."
    best = max(drafted, key=lambda row: row["faster"])
    cases = f"In {len(faster)} of these {len(drafted)} cases the draft pays."
    return (
        f"{cases} It does most for {best['model']} with the draft {best['draft']} at "
        f"temperature {best['temperature']:g}: {best['faster']:.2f} times the tokens "
        "per second."
    )


def call_costs() -> list[list[str]]:
    """A table of the milliseconds of a call."""
    found = result("speculative")["milliseconds"]
    head: dict[str, float] = next(iter(found.values()), {})
    rows = [["milliseconds for a call", *head]]
    for model, times in found.items():
        rows.append([model, *(f"{value:.1f}" for value in times.values())])
    return rows

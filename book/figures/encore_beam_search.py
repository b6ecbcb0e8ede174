"""Figures and numbers of the encore on beam search."""

from functools import cache
from math import log

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from book import held_out, play
from book.figures import _endings as endings
from book.figures import style
from book.figures._losses import claim
from book.figures._words import percent, quoted, signed
from book.lab.record import OPENINGS as LAB
from book.pages import BookError
from solutions.encore_beam_search import _best_continuations, _log_softmax, beam_search
from solutions.encore_sampling import sample
from tests.oracle import model as oracle

OPENINGS = [*LAB, "One day, the dog", "The dog was very"]
NEW, BEAMS = 20, (1, 2, 4, 8)
NOTICED = 0.1  # nats; a smaller difference of sums counts as none
DRAWS, MIDDLE = 100, (0.05, 0.95)  # drawn texts, and the quantiles that are shown
ROUNDS, WIDTH = 3, 2  # of the drawn tree
FINISHED = {"short": (3, -3.0), "long": (6, -4.5)}  # tokens, sum of log-probabilities
PENALTIES = (0.0, 0.5, 1.0, 2.0)


def next_logits(ids: np.ndarray) -> np.ndarray:
    """The embedded model's logits ``[N, V]`` after ids ``[N, T]``."""
    config = play.checkpoint().config
    return oracle.logits(ids, play.trained(), config.n_layer, config.n_head)[:, -1]


@cache
def searched(text: str, num_beams: int) -> tuple[list[int], float]:
    """The ids that beam search finds after a text, and their sum of log p."""
    return beam_search(
        next_logits,
        play.encode(text),
        num_beams=num_beams,
        max_new_tokens=NEW,
        length_penalty=0.0,
    )


def gains(text: str) -> np.ndarray:
    """How much likelier, in nats, each number of beams is than the one before it."""
    return np.diff([searched(text, count)[1] for count in BEAMS])


def drops() -> int:
    """The openings after which some number of beams does worse than fewer beams."""
    return sum(bool((gains(text) < -NOTICED).any()) for text in OPENINGS)


@cache
def prompt() -> str:
    """The opening after which more beams find likelier text most often, then most."""

    def worth(text: str) -> tuple[int, float]:
        return int((gains(text) > NOTICED).sum()), round(gains(text).sum(), 1)

    best = max(OPENINGS, key=worth)
    if not worth(best)[0]:
        raise BookError("encore_beam_search: after no opening do beams gain anything")
    return best


def figures() -> dict[str, Figure]:
    return {"beam-tree": tree_figure()}


def tree_figure() -> Figure:
    """A tree of three rounds with two beams: all continuations, and the kept ones."""
    figure, axes = style.canvas(270, width=470)
    style.box(axes, 4, 105, 72, 40, "prompt", color=style.MUTED, strength=0.05)
    style.label(axes, 40, 165, "sum 0", color=style.MUTED, fontsize=style.SMALL)
    ids = np.array([play.encode(prompt())])
    beams, sums, places = ids, np.zeros(1), {tuple(ids[0]): (76, 125)}
    for turn in range(ROUNDS):
        left = 112 + 128 * turn
        following = _log_softmax(next_logits(beams))
        texts, totals = _best_continuations(beams, sums, following, 2 * WIDTH)
        style.label(axes, left + 50, 14, f"round {turn + 1}", color=style.MUTED)
        new = {}
        for rank, (text, total) in enumerate(zip(texts, totals, strict=True)):
            middle = 50 + 56 * rank
            node(axes, left, middle, text[-1], total, kept=rank < WIDTH)
            start = places[tuple(text[:-1])]
            color = style.BLUE if rank < WIDTH else style.GRID
            axes.plot([start[0], left], [start[1], middle], color=color)
            new[tuple(text)] = (left + 98, middle)
        beams, sums, places = texts[:WIDTH], totals[:WIDTH], new
    return figure


def node(
    axes: Axes, left: float, middle: float, token: int, total: float, *, kept: bool
) -> None:
    """Draws one continuation with its token and its sum; kept ones have a colour."""
    color, strength = (style.BLUE, 0.16) if kept else (style.GRID, 0.0)
    style.box(axes, left, middle - 20, 98, 40, color=color, strength=strength)
    text = style.token(play.checkpoint().tokenizer.token(int(token)))
    ink = style.INK if kept else style.MUTED
    bold = "bold" if kept else "normal"
    style.label(axes, left + 49, middle - 8, text, color=ink, fontweight=bold)
    options = {"color": style.MUTED, "fontsize": style.SMALL}
    style.label(axes, left + 49, middle + 10, f"{signed(total)}", **options)


def numbers() -> dict[str, str | list]:
    return {
        "prompt": prompt(),
        "new": f"{NEW}",
        "openings": f"{len(OPENINGS)}",
        "drops": f"{drops() or 'none'}",
        "draws": f"{DRAWS}",
        "stories": f"{len(held_out.stories())}",
        "beams": beams_table(),
        "surprise": surprise_table(),
        "penalties": penalties(),
        "endings": endings.rows(),
        "lowest": signed(endings.lowest_finished().score),
        "highest": signed(endings.best_going().score),
        "winner": f"`{endings.search()[0]}`",
        "exponent": signed(-100 * held_out.trained().mean / log(10), 0),
        "float32": f"{underflow(np.float32, held_out.trained().mean):,}",
        "float64": f"{underflow(np.float64, held_out.trained().mean):,}",
        "greedy_trap": percent(0.50 * 0.22),
        "better": percent(0.40 * 0.90),
    }


def beams_table() -> list[list[str]]:
    """A table of the texts that different numbers of beams find."""
    rows = [["beams", "log p in all", "the text"]]
    for num_beams in BEAMS:
        ids, total = searched(prompt(), num_beams)
        text = play.checkpoint().tokenizer.decode(ids)
        rows.append([f"{num_beams}", signed(total, 1), quoted(text)])
    return rows


def surprise_table() -> list[list[str]]:
    """A table of the loss of several texts."""
    found = {
        "beam search, 4 beams": searched(prompt(), 4)[0],
        "greedy": searched(prompt(), 1)[0],
    }
    rows = [["text", "−log p per token"]]
    for name, ids in found.items():
        rows.append([name, f"{surprise(ids):.2f}"])
    written = np.array([surprise(ids) for ids in beginnings()])
    rows.append(["drawn, temperature 1", spread(drawn())])
    rows.append(["held-out stories", spread(written)])
    likelier = all(surprise(ids) < written.mean() for ids in found.values())
    claim(
        "encore_beam_search", "The held-out stories surprise the model more", likelier
    )
    return rows


def spread(means: np.ndarray) -> str:
    """The mean of several texts' means, and their range without the outer ones."""
    low, high = np.quantile(means, MIDDLE)
    return f"{means.mean():.2f} ({low:.1f} to {high:.1f})"


def beginnings() -> list[list[int]]:
    """The beginnings of the held-out stories, as long as the other texts."""
    length = len(play.encode(prompt())) + NEW
    return [ids[:length] for ids in held_out.token_ids()]


def drawn() -> np.ndarray:
    """Draws texts; returns each text's mean of -log p."""
    rng, sums = np.random.default_rng(0), np.zeros(DRAWS)
    ids = np.array([play.encode(prompt())] * DRAWS)
    for _ in range(NEW):
        logits = next_logits(ids)
        new = [sample(row, rng) for row in logits]
        sums -= _log_softmax(logits)[np.arange(DRAWS), new]
        ids = np.column_stack([ids, new])
    return sums / NEW


def surprise(ids: list[int]) -> float:
    """The mean of -log p over a text's tokens after the first few, in nats."""
    shares = oracle.softmax(play.logits(ids[:-1]))
    start = len(play.encode(prompt()))
    places = np.arange(start - 1, len(ids) - 1)
    return float(-np.log(shares[places, ids[start:]]).mean())


def underflow(dtype: type[np.floating], loss: float) -> int:
    """The tokens after which a text's probability is 0, at this mean of -log p."""
    smallest = float(np.finfo(dtype).smallest_subnormal)
    return int((log(2) - log(smallest)) / loss) + 1  # less than half of it rounds to 0


def penalties() -> list[list[str]]:
    """A table of the best of two finished texts at several length penalties."""
    head = [f"{name}: {n} tokens, {signed(s, 1)}" for name, (n, s) in FINISHED.items()]
    rows = [["length penalty", *head, "wins"]]
    for penalty in PENALTIES:
        scores = {name: s / n**penalty for name, (n, s) in FINISHED.items()}
        cells = [signed(score) for score in scores.values()]
        rows.append([f"{penalty}", *cells, max(scores, key=scores.__getitem__)])
    return rows

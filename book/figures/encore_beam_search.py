"""Figures and numbers of the encore on beam search."""

from functools import cache
from math import log

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from book import held_out, inside, play
from book.figures import style
from book.figures._words import percent, quoted, signed
from gpt2.decoding.ngrams import repetition
from solutions.encore_beam_search import _best_continuations, _log_softmax, beam_search
from solutions.encore_sampling import sample
from tests.oracle import model as oracle

PROMPT, NEW, BEAMS = "One day, the dog", 20, (1, 2, 4, 8)
ROUNDS, WIDTH = 3, 2  # of the drawn tree
FINISHED = {"short": (3, -3.0), "long": (6, -4.5)}  # tokens, sum of log-probabilities
PENALTIES = (0.0, 0.5, 1.0, 2.0)


def next_logits(ids: np.ndarray) -> np.ndarray:
    """The embedded model's logits ``[N, V]`` after ids ``[N, T]``."""
    config = play.checkpoint().config
    return oracle.logits(ids, play.trained(), config.n_layer, config.n_head)[:, -1]


def figures() -> dict[str, Figure]:
    return {"beam-tree": tree_figure()}


def tree_figure() -> Figure:
    """A tree of three rounds with two beams: all continuations, and the kept ones."""
    figure, axes = style.canvas(270, width=470)
    style.box(axes, 4, 105, 72, 40, "prompt", color=style.MUTED, strength=0.05)
    style.label(axes, 40, 165, "sum 0", color=style.MUTED, fontsize=style.SMALL)
    ids = np.array([play.encode(PROMPT)])
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
        "prompt": PROMPT,
        "new": f"{NEW}",
        "beams": beams_table(),
        "surprise": surprise_table(),
        "penalties": penalties(),
        "exponent": signed(-100 * held_out.trained().mean / log(10), 0),
        "greedy_trap": percent(0.50 * 0.22),
        "better": percent(0.40 * 0.90),
    }


@cache
def searched(num_beams: int) -> tuple[list[int], float]:
    """The ids that beam search finds, and their score."""
    prompt = play.encode(PROMPT)
    return beam_search(
        next_logits, prompt, num_beams=num_beams, max_new_tokens=NEW, eos_token_id=None
    )


def beams_table() -> list[list[str]]:
    """A table of the texts that different numbers of beams find."""
    rows = [["beams", "log p in all", "the text"]]
    for num_beams in BEAMS:
        ids, score = searched(num_beams)
        text = play.checkpoint().tokenizer.decode(ids)
        rows.append([f"{num_beams}", signed(score * NEW, 1), quoted(text)])
    return rows


def surprise_table() -> list[list[str]]:
    """A table of the loss and the repetition of several texts."""
    story = play.encode(inside.STORY)
    texts = {
        "beam search, 4 beams": searched(4)[0],
        "greedy": searched(1)[0],
        "drawn, temperature 1": drawn(),
        "a hand-written story": story[: len(play.encode(PROMPT)) + NEW],
    }
    rows = [["text", "−log p per token", "four-token runs repeated"]]
    for name, ids in texts.items():
        rows.append([name, f"{surprise(ids):.2f}", percent(repetition(ids) or 0.0)])
    return rows


def drawn() -> list[int]:
    rng, ids = np.random.default_rng(0), play.encode(PROMPT)
    for _ in range(NEW):
        ids.append(sample(next_logits(np.array([ids]))[0], rng))
    return ids


def surprise(ids: list[int]) -> float:
    """The mean of -log p over a text's tokens after the first few, in nats."""
    shares = oracle.softmax(play.logits(ids[:-1]))
    start = len(play.encode(PROMPT))
    places = np.arange(start - 1, len(ids) - 1)
    return float(-np.log(shares[places, ids[start:]]).mean())


def penalties() -> list[list[str]]:
    """A table of the best of two finished texts at several length penalties."""
    head = [f"{name}: {n} tokens, {signed(s, 1)}" for name, (n, s) in FINISHED.items()]
    rows = [["penalty", *head, "wins"]]
    for penalty in PENALTIES:
        scores = {name: s / n**penalty for name, (n, s) in FINISHED.items()}
        cells = [signed(score) for score in scores.values()]
        rows.append([f"{penalty}", *cells, max(scores, key=scores.__getitem__)])
    return rows

"""Figures and numbers of the encore on sampling."""

from collections.abc import Callable
from functools import cache, partial
from itertools import count
from math import exp
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from book import held_out, play
from book.figures import style
from book.figures._losses import claim
from book.figures._words import code, percent, quoted, rough
from book.figures.encore_beam_search import OPENINGS
from gpt2.decoding.ngrams import repetition
from gpt2.decoding.settings import SAMPLING, Setting
from solutions import encore_sampling as sampling
from tests.oracle import model as oracle

SURE, UNSURE = "One day, a little", "The dog was very"
PROMPT, NEW, SAMPLES = "Once upon a time", 45, 20
SHOWN, POINTS = 12, 60  # bars of the likeliest tokens; points of a line
RARE = 0.001  # a probability that few would miss
END = 60  # characters of a text's end
TEMPERATURES = (0.3, 0.7, 1.0, 1.5)
PENALTIES = (1.0, 1.1, 1.3, 2.0)
# The order and the defaults of programs; the page says where each is written.
PROGRAMS = (
    ("`transformers`", "penalty, temperature, top-k, top-p, min-p", 1, 50, 1, 0),
    ("vLLM", "penalty, temperature, min-p, top-k, top-p", 1, 0, 1, 0),
    ("llama.cpp", "penalty, top-k, top-p, min-p, temperature", 0.8, 40, 0.95, 0.05),
    ("MAX", "penalty, then one kernel for the rest", 1, 0, 1, 0),
)
SLIP, SLIP_P = np.array([0.5, 0.3, 0.15, 0.05]), 0.6
BIMODAL = np.array([3.0, 3.0, -1.0, -1.0, -2.0, -2.0, -3.0, -3.0, -4.0, -4.0])

Filter = Callable[[np.ndarray], np.ndarray]
Panel = Callable[[Axes, np.ndarray, np.ndarray], None]
TEMPERED: dict[str, Filter] = {
    f"temperature {t}": partial(sampling.temperature_scale, temperature=t)
    for t in (0.5, 1, 2)
}
FILTERS: dict[str, Filter] = {
    "top-k = 5": lambda z: sampling.top_k_filter(z, 5),
    "top-p = 0.9": lambda z: sampling.top_p_filter(z, 0.9),
    "min-p = 0.1": lambda z: sampling.min_p_filter(z, 0.1),
}


@cache
def logits_after(text: str) -> np.ndarray:
    """The logits ``[V]`` after a text."""
    return play.logits(play.encode(text))[-1]


def figures() -> dict[str, Figure]:
    return {
        "temperatures": panels(TEMPERED, tempered_panel),
        "filters": panels(FILTERS, filtered_panel),
    }


def panels(filters: dict[str, Filter], panel: Panel) -> Figure:
    """Draws each filter's effect where the model is sure and where it is unsure.

    Args:
        filters: by name; each gets one row.
        panel: draws one chart of the logits ``[V]`` before and after a filter.
    """
    height, shared = 130 * len(filters) + 40, {"sharex": True, "sharey": True}
    figure, axes = style.charts(
        height, rows=len(filters), columns=2, width=470, **shared
    )
    for row, (name, change) in zip(axes, filters.items(), strict=True):
        for one, text in zip(row, (SURE, UNSURE), strict=True):
            panel(one, logits_after(text), change(logits_after(text)))
        row[0].set_ylabel(name, color=style.INK)
    axes[0, 0].set_title("sure: … a little", fontsize=style.TEXT)
    axes[0, 1].set_title("unsure: … was very", fontsize=style.TEXT)
    for one in axes[-1]:
        one.set_xlabel("tokens, the likeliest first")
    return figure


def tempered_panel(axes: Axes, before: np.ndarray, after: np.ndarray) -> None:
    """Draws the first probabilities as bars, those of the model as outlines."""
    order = np.argsort(-before, kind="stable")[:SHOWN]
    places = np.arange(1, SHOWN + 1)
    axes.bar(places, oracle.softmax(after)[order], color=style.BLUE, width=0.8)
    outline: Any = {"facecolor": "none", "edgecolor": style.MUTED, "width": 0.8}
    axes.bar(places, oracle.softmax(before)[order], **outline)
    axes.set_xticks([])
    finish(axes, choices(after))


def filtered_panel(axes: Axes, before: np.ndarray, after: np.ndarray) -> None:
    """Draws all probabilities, those of the model as a line; a strip has what stays."""
    order, stay = np.argsort(-before, kind="stable"), int(np.isfinite(after).sum())
    shown = np.unique(np.geomspace(1, len(order), POINTS).astype(int))  # ranks
    ranks = np.unique([*shown, stay, stay + 1])
    model, kept = (oracle.softmax(x)[order][ranks - 1] for x in (before, after))
    axes.fill_between(ranks, kept, step="mid", facecolor=(style.BLUE, 0.75))
    axes.step(ranks, model, where="mid", color=style.MUTED, linewidth=1.2)
    axes.set_xscale("log")
    axes.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    axes.minorticks_off()
    for left, right, color in [(0.7, stay, style.BLUE), (stay, len(order), style.GRID)]:
        axes.barh(-0.14, right - left, left=left, height=0.12, color=color)
    finish(axes, f"{stay:,} stay")


def finish(axes: Axes, says: str) -> None:
    """Writes a few words into a chart, and percentages beside it."""
    options = {"ha": "right", "fontsize": style.SMALL, "transform": axes.transAxes}
    style.label(axes, 0.98, 0.85, says, **options)
    axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])


def choices(logits: np.ndarray) -> str:
    """Says the number of equally likely tokens that have the same entropy."""
    return f"like {rough(exp(entropy(oracle.softmax(logits))))} choices"


def entropy(shares: np.ndarray) -> float:
    """The mean entropy of probabilities ``[..., V]``, in nats."""
    logs = np.log(np.maximum(shares, np.finfo(float).tiny))
    return float(-(shares * logs).sum(axis=-1).mean())


def numbers() -> dict[str, str | list]:
    return {
        "vocabulary": f"{play.checkpoint().config.vocab_size:,}",
        "prompt": PROMPT,
        "circling": code(circling()),
        "openings": f"{len(OPENINGS)}",
        "sure": SURE,
        "unsure": UNSURE,
        **drawn(),
        **tail(),
        "kept": kept(),
        "order": order_matters(),
        "programs": programs(),
        **slip(),
        "penalties": penalties(),
        "diversity": diversity(),
        "bimodal_share": percent(oracle.softmax(BIMODAL)[0]),
        "bimodal_kept": f"{np.isfinite(sampling.top_p_filter(BIMODAL, 0.5)).sum()}",
    }


def drawn() -> dict[str, str]:
    """A text drawn without filters, and its least likely token, which is a rare one."""
    for seed in count(1):
        ids, shares = draw(np.random.default_rng(seed))
        if min(shares) < RARE:
            break
    tokenizer, least = play.checkpoint().tokenizer, int(np.argmin(shares))
    return {
        "drawn": quoted(tokenizer.decode(ids)),
        "drawn_token": code(tokenizer.token(ids[len(ids) - len(shares) + least])),
        "drawn_share": f"{100 * shares[least]:.1g} %",
    }


def draw(rng: np.random.Generator) -> tuple[list[int], list[float]]:
    """Draws a text; returns its ids and the probability of each drawn token."""
    ids, shares = play.encode(PROMPT), []
    end = play.checkpoint().tokenizer.end_of_text_id
    while len(ids) < NEW and ids[-1] != end:
        logits = play.logits(ids)[-1]
        ids.append(sampling.sample(logits, rng))
        shares.append(float(oracle.softmax(logits)[ids[-1]]))
    return ids, shares


def tail(rare: float = RARE, tokens: int = 100, likeliest: int = 50) -> dict[str, str]:
    """The probability of rare tokens, on average over the held-out stories' places."""

    def count_and_mass(ids: list[int]) -> np.ndarray:
        shares = np.sort(oracle.softmax(play.logits(ids[:-1])), axis=-1)
        below = shares < rare
        masses = (shares * below).sum(axis=-1), shares[:, :-likeliest].sum(axis=-1)
        return np.array([below.sum(axis=-1), *masses])

    found = [count_and_mass(ids) for ids in held_out.token_ids()]
    number, mass, beyond = np.concatenate(found, axis=-1).mean(axis=-1)
    return {
        "stories": str(len(held_out.stories())),
        "tail_each": f"{rare:.1%}".replace("%", " %"),
        "tail_count": f"{number:,.0f}",
        "tail_mass": f"{mass:.1%}".replace("%", " %"),
        "tail_tokens": f"{tokens}",
        "tail_draws": f"{mass * tokens:.0f}",
        f"beyond_{likeliest}": percent(beyond),
    }


def kept() -> list[list[str]]:
    """A table of the tokens that each filter keeps, for a sure and an unsure model."""
    rows = [["filter", "sure: tokens", "together", "unsure: tokens", "together"]]
    for name, change in FILTERS.items():
        cells = [cell for text in (SURE, UNSURE) for cell in survivors(text, change)]
        rows.append([name, *cells])
    fewer = all(
        count_kept(FILTERS[name], SURE) < count_kept(FILTERS[name], UNSURE)
        for name in ("top-p = 0.9", "min-p = 0.1")
    )
    claim("encore_sampling", "on the unsure one they leave more", fewer)
    return rows


def count_kept(change: Filter, text: str) -> int:
    """The number of tokens that a filter keeps after a text."""
    return int(np.isfinite(change(logits_after(text))).sum())


def survivors(text: str, change: Filter) -> tuple[str, str]:
    """The number of tokens that a filter keeps, and their probability before it."""
    stay = np.isfinite(change(logits_after(text)))
    kept = oracle.softmax(logits_after(text))[stay].sum()
    return f"{count_kept(change, text):,}", percent(kept)


def order_matters(p: float = 0.9) -> list[list[str]]:
    """A table of the tokens that top-p keeps, with the temperature before and after."""
    head = ["temperature", "temperature first", "temperature last"]
    rows, last = (
        [head],
        np.isfinite(sampling.top_p_filter(logits_after(UNSURE), p)).sum(),
    )
    for temperature in (0.5, 1.0, 1.5, 2.0):
        warm = sampling.temperature_scale(logits_after(UNSURE), temperature)
        first = np.isfinite(sampling.top_p_filter(warm, p)).sum()
        rows.append([f"{temperature}", f"{first:,} tokens", f"{last:,} tokens"])
    return rows


def programs() -> list[list[str]]:
    """A table of the order and the defaults of several programs and of this course."""
    filters = [setting for setting in SAMPLING if not setting.penalty]
    names = [setting.name.replace("_", "-") for setting in filters]
    own = [s.default if s.in_commands is None else s.in_commands for s in filters]
    rows = [["program", "order", *names]]
    for program, order, *values in [
        *PROGRAMS,
        ("`gpt2`", f"penalty, {', '.join(names)}", *own),
    ]:
        pairs = zip(filters, values, strict=True)
        rows.append([program, order, *(default(*pair) for pair in pairs)])
    return rows


def default(setting: Setting, value: float) -> str:
    """A program's default; "off" for a filter that then removes nothing."""
    off = value == setting.default and setting.name != "temperature"
    return "off" if off else f"{value:g}"


def slip() -> dict[str, str]:
    """The tokens that the rule keeps of some shares, and that OpenAI's code keeps."""
    *first, last = (f"{share:g}" for share in SLIP)
    kept = np.isfinite(sampling.top_p_filter(np.log(SLIP), SLIP_P)).sum()
    openai = max(np.count_nonzero(SLIP.cumsum() <= SLIP_P), 1)
    return {
        "slip_shares": f"{', '.join(first)} and {last}",
        "slip_p": f"{SLIP_P}",
        "slip_kept": f"{kept}",
        "slip_openai": f"{openai}",
    }


def penalties() -> list[list[str]]:
    """A table of greedy texts under several penalties, and of their repetition."""
    rows = [["penalty", "repeated", "the end of the text"]]
    texts = {penalty: penalized(circling(), penalty) for penalty in PENALTIES}
    for penalty, ids in texts.items():
        whole = play.checkpoint().tokenizer.decode(ids)
        end = quoted(whole[-END:].partition(" ")[2])
        rows.append([f"{penalty}", percent(repeated(ids)), f"… {end}"])
    less = all(
        repeated(ids) < repeated(texts[1.0]) for p, ids in texts.items() if p > 1
    )
    claim("encore_sampling", "works against circles", less)
    return rows


@cache
def circling() -> str:
    """The opening after which a greedy text repeats itself most."""
    return max(OPENINGS, key=lambda text: repeated(penalized(text, 1.0)))


@cache
def penalized(text: str, penalty: float) -> list[int]:
    """The ids of a text and its greedy continuation under a repetition penalty."""
    ids = play.encode(text)
    for _ in range(NEW):
        logits = play.logits(ids)[-1]
        logits = sampling.apply_repetition_penalty(logits, ids, penalty)
        ids.append(int(logits.argmax()))
    return ids


def repeated(ids: list[int]) -> float:
    """The share of runs of four tokens that the text had before."""
    return repetition(ids) or 0.0


def diversity(length: int = 10) -> list[list[str]]:
    """A table of the different texts among twenty, and the effective choices."""
    rows = [["temperature", f"different texts of {SAMPLES}", "effective choices"]]
    for temperature in TEMPERATURES:
        texts, uncertainty = batch(temperature, length)
        different = len({tuple(ids) for ids in texts.tolist()})
        rows.append([f"{temperature}", f"{different}", rough(exp(uncertainty))])
    return rows


def batch(temperature: float, length: int) -> tuple[np.ndarray, float]:
    """Draws a batch of texts; returns them and the mean entropy in nats."""
    config, state = play.checkpoint().config, play.trained()
    rng, entropies = np.random.default_rng(0), []
    ids = np.array([play.encode(PROMPT)] * SAMPLES)
    for _ in range(length):
        logits = oracle.logits(ids, state, config.n_layer, config.n_head)[:, -1]
        shares = oracle.softmax(logits / temperature)
        entropies.append(entropy(shares))
        draws = [[rng.choice(len(row), p=row / row.sum())] for row in shares]
        ids = np.concatenate([ids, draws], axis=1)
    return ids, float(np.mean(entropies))

"""Figures and numbers of the encore on contrastive decoding."""

from collections.abc import Callable
from functools import cache, partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from book import held_out, play
from book.figures import style
from book.figures._losses import claim
from book.figures._words import code, percent, quoted, signed
from book.figures.encore_beam_search import OPENINGS
from gpt2.decoding.ngrams import distinct, repetition
from solutions.encore_contrastive import (
    _likeliest,
    contrastive_logits,
    contrastive_search,
    degeneration_penalty,
)
from tests.oracle import model as oracle

NEW = 60  # tokens of each text at most
LAYERS, TOP_K, ALPHA = 1, 4, 0.6  # of the amateur; of the search, as in its paper
BETAS, ALPHAS = (0.5, 2.0), (0.2, 0.6)
EXAMPLE, SHOWN = "The dog was very", 8  # a place in a text, and tokens of its figure
SQUARES = 24  # last tokens of a text that the figure of similarities has

type Write = Callable[[list[int]], list[int]]


def read(ids: np.ndarray, layers: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The logits ``[N, V]`` and the hidden states ``[N, T, C]`` of ids ``[N, T]``.

    With ``layers``, only the embedded model's first layers compute.
    """
    config, state = play.checkpoint().config, play.trained()
    sizes = layers or config.n_layer, config.n_head, config.layer_norm_epsilon
    states = oracle.hidden_states(np.asarray(ids), state, *sizes)
    return states[:, -1] @ state["wte.weight"].T, states


def scores(ids: list[int], layers: int | None = None) -> np.ndarray:
    """The logits ``[V]`` of what follows the ids."""
    return read(np.array([ids]), layers)[0][0]


def contrast(prompt: list[int], layers: int, beta: float) -> list[int]:
    """Writes with the likeliest token of the contrasted logits each time."""
    ids = list(prompt)
    while len(ids) < len(prompt) + NEW and not ended(ids, prompt):
        pair = scores(ids), scores(ids, layers)
        ids.append(int(contrastive_logits(*pair, beta=beta).argmax()))
    return ids


def ended(ids: list[int], prompt: list[int]) -> bool:
    """Whether the text after the prompt has ended."""
    return len(ids) > len(prompt) and ids[-1] in play.checkpoint().tokenizer.end_ids


def search(prompt: list[int], top_k: int, alpha: float) -> list[int]:
    """Writes with contrastive search."""
    return contrastive_search(
        read,
        prompt,
        top_k=top_k,
        penalty_alpha=alpha,
        max_new_tokens=NEW,
        eos_token_id=play.checkpoint().tokenizer.end_of_text_id,
    )


GREEDY = "greedy"
WAYS: dict[str, Write] = {
    GREEDY: partial(search, top_k=1, alpha=0.0),
    **{
        f"amateur of {n} layer{'s' * (n > 1)}, β = {b:g}": partial(
            contrast, layers=n, beta=b
        )
        for n in (1, 2)
        for b in BETAS
    },
    **{
        f"search, K = {TOP_K}, α = {a:g}": partial(search, top_k=TOP_K, alpha=a)
        for a in ALPHAS
    },
}


SEARCH = f"search, K = {TOP_K}, α = {ALPHA:g}"
CONTRAST = f"amateur of 1 layer, β = {BETAS[0]:g}"


@cache
def written(way: str) -> list[list[int]]:
    """The ids that one way writes after each opening, without the opening."""
    prompts = [play.encode(text) for text in OPENINGS]
    return [WAYS[way](prompt)[len(prompt) :] for prompt in prompts]


@cache
def opening() -> str:
    """The opening after which greedy text repeats itself most."""
    texts = dict(zip(OPENINGS, written(GREEDY), strict=True))
    return max(texts, key=lambda text: repetition(texts[text]) or 0.0)


def figures() -> dict[str, Figure]:
    return {"contrast": contrast_figure(), "similarity": similarity_figure()}


def contrast_figure() -> Figure:
    """Bars for the likeliest tokens: expert, amateur, and the contrast of both."""
    ids = play.encode(EXAMPLE)
    pair = scores(ids), scores(ids, LAYERS)
    shares = [oracle.softmax(z) for z in (*pair, contrastive_logits(*pair))]
    best, _ = _likeliest(pair[0], SHOWN)
    figure, axes = style.chart(300, width=560)
    places = np.arange(SHOWN)
    for turn, (name, color) in enumerate(
        {"expert": style.MUTED, "amateur": style.ORANGE, "contrast": style.BLUE}.items()
    ):
        left = places + 0.27 * (turn - 1)
        axes.bar(left, shares[turn][best], width=0.25, color=color, label=name)
    names = [style.token(play.checkpoint().tokenizer.token(int(i))) for i in best]
    axes.set_xticks(places, names)
    top = max(share[best].max() for share in shares)
    ticks = np.arange(0, top + 0.1, 0.1)
    axes.set_yticks(ticks, [percent(tick) for tick in ticks])
    axes.legend()
    return figure


def similarity_figure() -> Figure:
    """The similarities inside a greedy text and a text of contrastive search."""
    figure, axes = style.charts(320, columns=2)
    for one, way in zip(axes, (GREEDY, SEARCH), strict=True):
        panel(one, way)
    return figure


def panel(axes: Axes, way: str) -> None:
    """Draws the similarities of the last tokens of one text."""
    ids = text_of(way)
    states = read(np.array([ids]))[1][0]
    values = similarities(states)[-SQUARES:, -SQUARES:]
    style.heatmap(axes, values, largest=1.0)
    axes.set_title(way, fontsize=style.TEXT)


def similarities(states: np.ndarray) -> np.ndarray:
    """The cosine similarities ``[T, T]`` of hidden states ``[T, C]``."""
    unit = states / np.linalg.norm(states, axis=1, keepdims=True)
    return unit @ unit.T


def text_of(way: str) -> list[int]:
    """The ids of the chosen opening and of what one way writes after it."""
    return play.encode(opening()) + written(way)[OPENINGS.index(opening())]


def numbers() -> dict[str, str | list]:
    decode = play.checkpoint().tokenizer.decode
    return {
        "opening": opening(),
        "circle": quoted(decode(text_of(GREEDY))),
        "searched": quoted(decode(text_of(SEARCH))),
        "contrasted": quoted(decode(text_of(CONTRAST))),
        "example": EXAMPLE,
        "openings": f"{len(OPENINGS)}",
        "new": f"{NEW}",
        "squares": f"{SQUARES}",
        "stories": f"{len(held_out.stories())}",
        "choice": choice(),
        "ways": ways(),
        "amateurs": amateurs(),
        "mean_similarity": f"{mean_similarity():.2f}",
    }


def choice() -> list[list[str]]:
    """A table of the candidates where contrastive search first leaves greedy text."""
    pairs = zip(text_of(GREEDY), text_of(SEARCH), strict=False)
    place = next(i for i, (a, b) in enumerate(pairs) if a != b)
    ids = text_of(SEARCH)[:place]
    tokens, shares = _likeliest(scores(ids), TOP_K)
    states = read(np.array([[*ids, token] for token in tokens]))[1]
    penalties = degeneration_penalty(states[:, -1], states[0, :-1])
    rows = [["token", "probability", "penalty", "score"]]
    for token, share, penalty in zip(tokens, shares, penalties, strict=True):
        score = (1 - ALPHA) * share - ALPHA * penalty
        name = code(play.checkpoint().tokenizer.token(int(token)))
        rows.append([name, f"{share:.2f}", f"{penalty:.2f}", signed(score)])
    return rows


def ways() -> list[list[str]]:
    """A table of what each way of choosing writes: repetition, diversity, surprise."""
    rows = [["way", "runs repeated", "different pairs", "−log p per token"]]
    for way in WAYS:
        texts = written(way)
        loss = np.concatenate(
            [surprise(*pair) for pair in zip(OPENINGS, texts, strict=True)]
        )
        rows.append([way, repeated(texts), pairs(texts), f"{loss.mean():.2f}"])
    return rows


def repeated(texts: list[list[int]]) -> str:
    """The share of runs of four tokens that repeat, on average over texts."""
    return percent(float(np.mean([repetition(ids) or 0.0 for ids in texts])))


def pairs(texts: list[list[int]]) -> str:
    """The share of different pairs of neighbours, on average over texts."""
    return percent(float(np.mean([distinct([ids], 2) or 0.0 for ids in texts])))


def surprise(text: str, new: list[int]) -> np.ndarray:
    """-log p of each new token after a text, in nats."""
    ids = play.encode(text) + new
    return play.surprise(play.logits(ids[:-1]), ids[1:])[-len(new) :]


def amateurs() -> list[list[str]]:
    """A table of the loss with the first layers alone."""
    rows = [["layers", "loss", "perplexity"]]
    for layers in range(1, play.checkpoint().config.n_layer + 1):
        loss = held_out.loss(n_layer=layers)
        rows.append([f"{layers}", f"{loss.mean:.2f}", f"{loss.perplexity:.0f}"])
    return rows


def mean_similarity() -> float:
    """The mean similarity of two different tokens of one held-out story."""
    found = []
    for ids in held_out.token_ids():
        table = similarities(read(np.array([ids[:-1]]))[1][0])
        found.append(table[~np.eye(len(table), dtype=bool)].mean())
    return float(np.mean(found))

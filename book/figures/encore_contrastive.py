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
from gpt2.decoding.ngrams import distinct, repeats, repetition
from solutions.encore_contrastive import (
    _likeliest,
    contrastive_logits,
    contrastive_search,
    degeneration_penalty,
)
from tests.oracle import model as oracle

STORIES, OPENING, NEW = 10, 8, 120  # texts; tokens given, and written at most
LAYERS, TOP_K, ALPHA = 1, 4, 0.6  # of the amateur; of the search
EXAMPLE, SHOWN = "The dog was very", 8  # a place in a text, and tokens of its figure
SQUARES = 16  # last tokens of a text that the figure of similarities has

type Write = Callable[[list[int]], list[int]]


def read(ids: np.ndarray, layers: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The logits ``[N, V]`` and the hidden states ``[N, T, C]`` of ids ``[N, T]``.

    With ``layers``, only the embedded model's first layers compute.
    """
    config, state = play.checkpoint().config, play.trained()
    sizes = layers or config.n_layer, config.n_head, config.layer_norm_epsilon
    with play.instead("FLOAT", np.float32):  # twice as fast, and the same texts
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


GREEDY, SEARCH = "greedy", f"search, K = {TOP_K}, α = {ALPHA}"
TOLD = "the stories themselves"
AMATEURS: dict[str, Write] = {
    "amateur of 1 layer, β = 0.5": partial(contrast, layers=1, beta=0.5),
    "amateur of 2 layers, β = 0.5": partial(contrast, layers=2, beta=0.5),
}
WAYS: dict[str, Write] = {
    GREEDY: partial(search, top_k=1, alpha=0.0),
    **AMATEURS,
    SEARCH: partial(search, top_k=TOP_K, alpha=ALPHA),
}


def prompts() -> list[list[int]]:
    """The beginnings of held-out stories, behind an end of text."""
    return [ids[: OPENING + 1] for ids in held_out.token_ids()[:STORIES]]


@cache
def written(way: str) -> list[list[int]]:
    """The ids that one way writes after each beginning, without the beginning."""
    return [WAYS[way](prompt)[len(prompt) :] for prompt in prompts()]


def as_told() -> list[list[int]]:
    """The held-out stories' own continuations, as long as the others at most."""
    start = OPENING + 1
    return [ids[start : start + NEW] for ids in held_out.token_ids()[:STORIES]]


@cache
def chosen() -> int:
    """The number of the beginning after which greedy text repeats itself most."""
    found = [repetition(ids) or 0.0 for ids in written(GREEDY)]
    return int(np.argmax(found))


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
    """The ids of the chosen beginning and of what one way writes after it."""
    return prompts()[chosen()] + written(way)[chosen()]


def numbers() -> dict[str, str | list]:
    decode = play.checkpoint().tokenizer.decode
    return {
        "circle": quoted(decode(text_of(GREEDY))),
        "searched": quoted(decode(text_of(SEARCH))),
        "texts": f"{STORIES}",
        "given": f"{OPENING}",
        "new": f"{NEW}",
        "stories": f"{len(held_out.stories())}",
        "top_k": f"{TOP_K}",
        "alpha": f"{ALPHA}",
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
    rows = [["token", "probability", "penalty", "contrastive score"]]
    for token, share, penalty in zip(tokens, shares, penalties, strict=True):
        score = (1 - ALPHA) * share - ALPHA * penalty
        name = code(play.checkpoint().tokenizer.token(int(token)))
        rows.append([name, f"{share:.2f}", f"{penalty:.2f}", signed(score)])
    return rows


def ways() -> list[list[str]]:
    """A table of what each way of choosing writes: repetition, diversity, surprise."""
    head = ["text", "runs repeated", "different pairs", "−log p per token"]
    texts = {way: written(way) for way in WAYS} | {TOLD: as_told()}
    check_claims(texts)
    return [head, *([way, *measured(found)] for way, found in texts.items())]


def check_claims(texts: dict[str, list[list[int]]]) -> None:
    """Checks what the page says of the table."""
    runs = {way: float(repeated(ids).mean()) for way, ids in texts.items()}
    varied = {way: float(different_pairs(ids).mean()) for way, ids in texts.items()}
    better = runs[SEARCH] < runs[GREEDY] and varied[SEARCH] > varied[TOLD]
    claim("encore_contrastive", "Contrastive search leaves the circle", better)
    error = float(repeated(texts[GREEDY]).std(ddof=1) / np.sqrt(STORIES))
    worse = all(runs[way] > runs[GREEDY] - error for way in AMATEURS)
    claim("encore_contrastive", "as the amateur does not help", worse)


def measured(texts: list[list[int]]) -> list[str]:
    """The repetition, the share of different pairs and the surprise of some texts."""
    loss = [surprise(*both) for both in zip(prompts(), texts, strict=True)]
    cells = [spread(repeated(texts)), spread(different_pairs(texts))]
    return [*cells, f"{np.concatenate(loss).mean():.2f}"]


def repeated(texts: list[list[int]]) -> np.ndarray:
    """The share of runs of four tokens that repeat, for each text."""
    return np.array([repetition(ids) or 0.0 for ids in texts])


def different_pairs(texts: list[list[int]]) -> np.ndarray:
    """The share of different pairs of neighbours, for each text."""
    return np.array([distinct([ids], 2) or 0.0 for ids in texts])


def spread(shares: np.ndarray) -> str:
    """The mean of several texts' shares, and its standard error, in percent."""
    error = shares.std(ddof=1) / np.sqrt(len(shares))
    return f"{100 * shares.mean():.0f} ± {100 * error:.0f} %"


def surprise(prompt: list[int], new: list[int]) -> np.ndarray:
    """-log p of each new token after a prompt, in nats."""
    ids = prompt + new
    return play.surprise(play.logits(ids[:-1]), ids[1:])[-len(new) :]


def amateurs() -> list[list[str]]:
    """A table of the first layers alone: the loss, and whom the contrast helps."""
    head = ["layers", "loss", "gain where a pair repeats", "gain elsewhere"]
    again = np.concatenate([repeats(ids, 2)[1:] for ids in held_out.token_ids()])
    layers = play.checkpoint().config.n_layer
    losses = {n: losses_with(n) for n in range(1, layers + 1)}
    gains = {n: losses[n] - losses[layers] for n in range(1, layers)}
    rows = [
        [f"{n}", f"{losses[n].mean():.2f}", mean(gain[again]), mean(gain[~again])]
        for n, gain in gains.items()
    ]
    words = "With two or three layers, tokens that repeat a pair gain more than others"
    more = all(
        float(gain[again].mean()) > float(gain[~again].mean())
        for gain in (gains[2], gains[3])
    )
    claim("encore_contrastive", words, more)
    return [head, *rows, ["all", f"{losses[layers].mean():.2f}", "–", "–"]]


def losses_with(layers: int) -> np.ndarray:
    """-log p of every token of the held-out stories, with the first layers alone."""
    with play.instead("FLOAT", np.float32):  # changes no digit that is printed
        found = [
            play.surprise(play.logits(ids[:-1], n_layer=layers), ids[1:])
            for ids in held_out.token_ids()
        ]
    return np.concatenate(found)


def mean(values: np.ndarray) -> str:
    """A mean with its standard error."""
    return f"{values.mean():.2f} ± {values.std() / np.sqrt(len(values)):.2f}"


def mean_similarity() -> float:
    """The mean similarity of two different tokens of one held-out story."""
    found = []
    for ids in held_out.token_ids():
        table = similarities(read(np.array([ids[:-1]]))[1][0])
        found.append(table[~np.eye(len(table), dtype=bool)].mean())
    return float(np.mean(found))

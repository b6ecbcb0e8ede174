"""Figures and numbers of the chapter on the residual connection."""

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np
from matplotlib.figure import Figure

from book import inside, play
from book.figures import style
from book.figures._losses import claim
from book.figures._text import decimal
from tests.oracle import model as oracle

BY_HAND = np.array([3.0, 1.0, 3.0, 1.0])
ASKING = 3  # the token whose numbers are shown
DEPTH, TOKENS, CHANNELS, HEADS = 12, 16, 128, 4  # of the untrained model
INITIAL = 0.02  # standard deviation of GPT-2's initial weights

Sublayer = Callable[[np.ndarray], np.ndarray]


def figures() -> dict[str, Figure]:
    return {
        "residual-step": step_figure(),
        "residual-depth": depth_figure(),
        "residual-size": size_figure(),
    }


def numbers() -> dict[str, str | list]:
    replaced, added = alikeness(keep=False), alikeness(keep=True)
    channels, start = play.checkpoint().config.n_embd, lengths()[0]
    longer = all(length > start for length in lengths()[1:])
    claim("step_10", "finds a longer stream than the first one did", longer)
    return {
        "tokens": str(TOKENS),
        "depth": str(DEPTH),
        "replaced_first": decimal(replaced[1]),
        "replaced_last": decimal(replaced[-1]),
        "added_last": decimal(added[-1]),
        "by_hand": hand_rows(),
        "stream": stream_rows(),
        "shape": f"`[1, {len(play.encode(inside.SENTENCE))}, {channels}]`",
        "start": decimal(start, 1),
        "end": decimal(lengths()[-1], 1),
    }


def hand_rows() -> list[list[str]]:
    """A table of right and wrong results, for a sublayer that halves its input."""
    x, half = BY_HAND, BY_HAND / 2
    normed = inside.plain_norm(x)
    results = {
        "x": x,
        "norm(x)": normed,
        "the sublayer's result": normed / 2,
        "**x + the sublayer's result**": x + normed / 2,
        "without x": normed / 2,
        "norm(x) + the sublayer's result": normed * 1.5,
        "normalized after the sum": inside.plain_norm(x + half),
    }
    header = ["", *(f"channel {i}" for i in range(4))]
    return [header, *([k, *(decimal(v, 1) for v in row)] for k, row in results.items())]


def stream_rows() -> list[list[str]]:
    """A table of one token's first channels before and after the first attention."""
    layer = inside.look_inside(inside.SENTENCE)[0]
    rows = {
        "stream": layer.stream,
        "its normalized copy": layer.normed,
        "what attention adds": layer.attended,
        "stream afterwards": layer.stream + layer.attended,
    }
    header = ["", *(f"channel {i}" for i in range(4))]
    return [header, *([k, *map(decimal, x[ASKING, :4])] for k, x in rows.items())]


def random_sublayers(seed: int) -> Iterator[Sublayer]:
    """Yields attention and feed-forward networks in turn, initialized as in GPT-2."""
    for block in range(DEPTH):
        shapes = oracle.block_shapes(CHANNELS, 4 * CHANNELS)
        state = oracle.random_state(shapes, seed + block, INITIAL)
        state |= {name: 0 * array for name, array in state.items() if "bias" in name}
        yield partial(attend, state)
        yield partial(feed_forward, state)


def attend(state: oracle.State, x: np.ndarray) -> np.ndarray:
    """Attention alone, ``[T, C]``."""
    return oracle.multi_head_attention(x[None], state, HEADS, "attn.")[0]


def feed_forward(state: oracle.State, x: np.ndarray) -> np.ndarray:
    """The feed-forward network alone, ``[T, C]``."""
    return oracle.mlp(x, state, "mlp.")


@cache
def alikeness(*, keep: bool) -> list[float]:
    """The mean cosine of two tokens before the first block and after each block.

    Args:
        keep: adds each sublayer's result to the stream, instead of replacing it.
    """
    x = np.random.default_rng(10).normal(size=(TOKENS, CHANNELS))
    found = [mean_cosine(x)]
    for number, sublayer in enumerate(random_sublayers(seed=100)):
        result = sublayer(inside.plain_norm(x))
        x = x + result if keep else result
        if number % 2:  # a block has two sublayers
            found.append(mean_cosine(x))
    return found


def mean_cosine(x: np.ndarray) -> float:
    """The mean cosine of two different rows of ``[T, C]``."""
    x = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return float((x @ x.T)[~np.eye(len(x), dtype=bool)].mean())


def depth_figure() -> Figure:
    figure, axes = style.chart(250, width=520)
    axes.plot(alikeness(keep=False), "o-", color=style.ORANGE)
    axes.plot(alikeness(keep=True), "o-", color=style.BLUE)
    style.label(axes, 7, 0.9, "each sublayer replaces", color=style.ORANGE)
    style.label(axes, 7, 0.1, "each sublayer adds", color=style.BLUE)
    axes.set_ylim(-0.1, 1.1)
    axes.set_xlabel("blocks")
    axes.set_ylabel("mean similarity of two tokens")
    return figure


def lengths() -> list[float]:
    """The stream's mean norm over the story, at the start and after each sublayer."""
    found = []
    for layer in inside.look_inside(inside.STORY):
        found += [mean_length(layer.stream), mean_length(layer.stream + layer.attended)]
    return [*found, mean_length(inside.streams(inside.STORY)[-1])]


def additions() -> list[float]:
    """The mean norm of each sublayer's result."""
    layers = inside.look_inside(inside.STORY)
    return [mean_length(part) for i in layers for part in (i.attended, i.fed)]


def mean_length(x: np.ndarray) -> float:
    """The mean norm of the rows of ``[T, C]``."""
    return float(np.linalg.norm(x, axis=-1).mean())


def size_figure() -> Figure:
    blocks = play.checkpoint().config.n_layer
    names = [f"{kind} {i}" for i in range(blocks) for kind in ("attn", "mlp")]
    places, added = np.arange(len(names) + 1), additions()
    figure, axes = style.chart(280, width=560)
    for offset, color in enumerate((style.GREEN, style.PURPLE)):
        axes.bar(
            places[1 + offset :: 2], added[offset::2], color=(color, 0.55), width=0.6
        )
    axes.plot(places, lengths(), "o-", color=style.BLUE)
    axes.set_xticks(places, ["start", *names], rotation=45, ha="right")
    axes.set_ylabel("mean length")
    style.label(axes, 0, lengths()[-1], "the stream", color=style.BLUE, ha="left")
    style.label(
        axes, 0, 0.9 * lengths()[-1], "added by attention", color=style.GREEN, ha="left"
    )
    style.label(
        axes, 0, 0.8 * lengths()[-1], "added by the MLP", color=style.PURPLE, ha="left"
    )
    return figure


def step_figure() -> Figure:
    figure, axes = style.canvas(150, width=520)
    style.label(axes, 20, 110, "x")
    style.arrow(axes, (36, 110), (428, 110), color=style.BLUE)
    style.label(axes, 232, 128, "the stream, untouched", color=style.BLUE)
    style.arrow(axes, (70, 110), (70, 62))
    style.label(axes, 70, 40, "copy", color=style.MUTED)
    style.arrow(axes, (94, 40), (122, 40))
    style.box(axes, 126, 20, 80, 40, "norm", color=style.GOLD)
    style.arrow(axes, (208, 40), (238, 40))
    style.box(axes, 242, 20, 130, 40, "sublayer", color=style.GREEN)
    style.arrow(axes, (374, 40), (436, 98))
    style.box(axes, 430, 96, 28, 28, "+", color=style.BLUE)
    style.arrow(axes, (460, 110), (500, 110), color=style.BLUE)
    return figure

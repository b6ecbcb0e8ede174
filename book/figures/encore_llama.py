"""Figures and numbers of the encore that turns GPT-2 into Llama."""

from dataclasses import fields
from functools import cache
from math import pi, prod

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from book import held_out, play
from book.figures import style
from book.figures._losses import difference, measured_on
from book.figures._words import quoted
from book.held_out import PerToken
from gpt2.checkpoint.llama import NAMES
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from gpt2.checkpoint.weights import parameter_shapes
from solutions.encore_llama import LlamaConfig
from solutions.solution_01 import GPT2Config
from tests.oracle import llama as oracle

PROMPT, NEW = "Once upon a time", 60
PAIRS, PLACES = (0, 4, 8, 16), 8  # the drawn pairs of channels, and positions
RADIUS, FLOAT32 = 22, 4  # pixels of a clock; bytes
STEPS = {"tiny-stories": 8500, "tiny-llama": 889}  # as the models' cards say
TOKENS = 24 * 256  # in a step of checkpoints/training/loop.py
OTHER = {"rope_theta": "rope_theta", "tie_word_embeddings": "tie_word_embeddings"}


@cache
def llama() -> Checkpoint:
    """The embedded Llama."""
    return load_checkpoint("tiny-llama")


@cache
def config() -> LlamaConfig:
    """The embedded Llama's sizes."""
    found = llama().config
    assert isinstance(found, LlamaConfig)
    return found


def head_size(config: GPT2Config) -> int:
    return config.n_embd // config.n_head


def figures() -> dict[str, Figure]:
    return {"rotations": rotations_figure(), "shared-keys": keys_figure()}


def rotations_figure() -> Figure:
    """The hands of some pairs at the first positions."""
    angles = oracle.angles(PLACES, head_size(config()), config().rope_theta)
    figure, axes = style.canvas(290, width=560)
    for column in range(PLACES):
        style.label(axes, left(column), 24, str(column), color=style.MUTED)
    style.label(axes, 8, 24, "position", ha="left", color=style.MUTED)
    for row, pair in enumerate(PAIRS):
        top = 66 + 60 * row
        style.label(axes, 8, top, f"pair {pair}", ha="left")
        for column in range(PLACES):
            clock(axes, left(column), top, angles[column, pair])
    return figure


def left(column: int) -> int:
    """The x coordinate of a position's clocks."""
    return 110 + 60 * column


def clock(axes: Axes, x: float, y: float, angle: float) -> None:
    """Draws a hand that was turned by an angle from the right, against the clock."""
    face = Circle((x, y), RADIUS, facecolor="none", edgecolor=style.GRID)
    axes.add_patch(face)
    end = x + RADIUS * np.cos(angle), y - RADIUS * np.sin(angle)
    axes.plot(*zip((x, y), end, strict=True), color=style.BLUE, linewidth=2.5)


def keys_figure() -> Figure:
    """Four query heads with four, two and one key heads."""
    figure, axes = style.canvas(180, width=600)
    for number, groups in enumerate((4, 2, 1)):
        start = 20 + 200 * number
        name = f"G = {groups}"
        style.label(axes, start + 78, 18, name, fontweight="bold")
        for head in range(4):
            key = head * groups // 4
            x, below = start + 42 * head + 15, start + key_place(key, groups) + 15
            style.arrow(axes, (x, 78), (below, 118))
            style.box(axes, x - 15, 44, 30, 32, f"q{head}", color=style.BLUE)
        for key in range(groups):
            place = start + key_place(key, groups)
            style.box(axes, place, 120, 30, 32, f"k{key}", color=style.ORANGE)
    return figure


def key_place(key: int, groups: int) -> float:
    """The place of a key below the middle of its queries."""
    share = 4 / groups
    return 42 * (key * share + (share - 1) / 2)


def numbers() -> dict[str, str | list]:
    return {
        "prompt": PROMPT,
        "pairs": str(head_size(config()) // 2),
        "shapes": shapes(),
        "sizes": sizes(),
        "models": models(),
        "said": said(),
        "text": quoted(written()),
        "positions": str(config().n_positions),
        "slowest": f"{slowest():,.0f}",
    }


def slowest() -> float:
    """The tokens that the slowest pair needs for a full turn."""
    angles = oracle.angles(2, head_size(config()), config().rope_theta)
    return 2 * pi / angles[1, -1]


def shapes() -> list[list[str]]:
    """A table of the shapes of one layer's tensors."""
    length, channels, inner = (
        len(play.encode(PROMPT)),
        config().n_embd,
        config().n_inner,
    )
    size, heads, groups = head_size(config()), config().n_head, config().n_kv_head
    kinds = [
        ("hidden states", "`[B, T, C]`", [1, length, channels]),
        ("cosines, sines", "`[T, D / 2]`", [length, size // 2]),
        ("queries", "`[B, H, T, D]`", [1, heads, length, size]),
        ("keys, values", "`[B, G, T, D]`", [1, groups, length, size]),
        ("keys, values repeated", "`[B, H, T, D]`", [1, heads, length, size]),
        ("gate, up", "`[B, T, I]`", [1, length, inner]),
    ]
    rows = [[name, shape, f"`{values}`"] for name, shape, values in kinds]
    return [["", "shape", "here"], *rows]


def sizes() -> list[list[str]]:
    """A table of the configuration's fields, with their names in a file."""
    names = NAMES | OTHER
    rows = [
        [f"`{field.name}`", f"`{names[field.name]}`", shown(field.name)]
        for field in fields(config())
    ]
    return [["`LlamaConfig`", "`config.json`", "`tiny-llama`"], *rows]


def shown(name: str) -> str:
    value = getattr(config(), name)
    return f"{value:,}" if type(value) is int else str(value)


def models() -> list[list[str]]:
    """A table that compares the embedded models."""
    both = play.checkpoint(), llama()
    counts = [[count(c.config, word) for c in both] for word in ("", ".0.")]
    rows = [
        ["weights", *(f"{n:,}" for n in counts[0])],
        ["in one layer", *(f"{n:,}" for n in counts[1])],
        ["cache of a token", *(f"{cache_bytes(c.config) / 1e3:.1f} kB" for c in both)],
        ["tokens read in training", *(read(c.name) for c in both)],
        [f"loss on {measured_on()}", *(f"{x:.2f}" for x in losses())],
    ]
    return [["", "`tiny-stories`", "`tiny-llama`"], *rows]


def count(config: GPT2Config, word: str) -> int:
    """The weights of all parameters with a word in their name."""
    shapes = parameter_shapes(config)
    return sum(prod(shape) for name, shape in shapes.items() if word in name)


def cache_bytes(config: GPT2Config) -> int:
    """The bytes of one token's keys and values in all layers."""
    heads = getattr(config, "n_kv_head", config.n_head)
    return 2 * config.n_layer * heads * head_size(config) * FLOAT32


def logits(ids: list[int]) -> np.ndarray:
    """The embedded Llama's logits ``[T, V]`` of ids ``[T]``."""
    c = config()
    given = c.n_layer, c.n_head, c.n_kv_head, c.rope_theta, c.layer_norm_epsilon
    return oracle.logits(np.array([ids]), llama().weights, oracle.Sizes(*given))[0]


@cache
def losses() -> tuple[PerToken, PerToken]:
    """The losses of both models on the held-out stories."""
    return held_out.trained(), held_out.measure(logits)


def said() -> str:
    """Compares the losses in a sentence."""
    theirs, ours = losses()
    apart = ours - theirs
    if apart.tied:
        return "The two models are equally good on these stories."
    word = "more" if apart.mean > 0 else "less"
    return (
        f"On the book's stories the Llama loses {difference(apart).lstrip('+−')} nats "
        f"per token {word}."
    )


def written() -> str:
    """The prompt and the likeliest tokens after it."""
    tokenizer, ids = llama().tokenizer, play.encode(PROMPT)
    for _ in range(NEW):
        ids.append(int(logits(ids)[-1].argmax()))
        if ids[-1] in tokenizer.end_ids:
            break
    return tokenizer.decode(ids)


def read(name: str) -> str:
    """How many tokens a model read in its training, in millions."""
    return f"{STEPS[name] * TOKENS / 1e6:.1f} million"

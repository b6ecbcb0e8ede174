"""Numbers of the page on the real GPT-2."""

import numpy as np
from matplotlib.figure import Figure

from book import held_out, inside, play
from book.figures import style
from book.figures._losses import claim, perplexity, worse
from book.figures._parameters import parameters
from book.figures._words import SIZES, published
from gpt2.checkpoint.weights import TRANSPOSED, parameter_shapes
from gpt2.commands.layers import PROMPT
from gpt2.learner.stages import maker_of
from tests.oracle import model as oracle

LAYER = "transformer.h.0."
BEFORE = ("in", "ln_1", "query", "key", "value")  # of a block, before the shares
FLOAT32 = 4  # bytes


def figures() -> dict[str, Figure]:
    return {"checkpoint": checkpoint_figure()}


def checkpoint_figure() -> Figure:
    """Draws the three files of a checkpoint and the code that reads each."""
    figure, axes = style.canvas(300, width=500)
    rows = [
        ("config.json", "GPT2Config", "seven sizes", style.GOLD),
        ("model.safetensors", "load_state_dict", "arrays by name", style.BLUE),
        ("tokenizer.json", "encode, decode", "text and ids", style.GREEN),
    ]
    for number, (file, use, says, color) in enumerate(rows):
        top = 20 + 96 * number
        style.box(axes, 10, top, 180, 56, file, color=color, fontfamily=style.MONO)
        style.arrow(axes, (194, top + 28), (306, top + 28))
        small = {"color": style.MUTED, "fontsize": style.SMALL}
        style.label(axes, 249, top + 14, says, **small)
        style.box(axes, 310, top, 180, 56, use, color=color, fontfamily=style.MONO)
    return figure


def numbers() -> dict[str, str | list]:
    real = published("gpt2")
    masks = real.n_layer * real.n_positions**2 * FLOAT32
    embedded = parameters(play.checkpoint().config)
    square = held_out.loss(square_untransposed())
    claim("real_gpt2", "raises the perplexity", worse(square))
    return {
        "family": family(),
        "names": names(),
        "ratio": f"{parameters(real) / embedded:.0f}",
        "tensors": f"{len(parameter_shapes(real))}",
        "vocabulary": f"{real.vocab_size:,}",
        "weights": megabytes(parameters(real) * FLOAT32),
        "masks": megabytes(masks),
        "file": megabytes(parameters(real) * FLOAT32 + masks),
        "stories": str(len(held_out.stories())),
        "positions": str(play.checkpoint().config.n_positions),
        "loss": f"{held_out.trained():.2f}",
        "perplexity": perplexity(held_out.trained()),
        "bits": f"{held_out.bits_per_byte():.2f}",
        "square": perplexity(square),
        "layers": layers(),
    }


def megabytes(count: int) -> str:
    """A number of bytes in decimal units, as on download pages."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def family() -> list[list[str]]:
    """A table of the published models and the memory of their weights."""
    rows = [["`--model`", "its weights in float32"]]
    for name in SIZES:
        size = parameters(published(name)) * FLOAT32
        rows.append([f"`{name}`", megabytes(size)])
    return rows


def names() -> list[list[str]]:
    """A table of one block's tensor shapes, in the checkpoint and in MAX."""
    rows = [["in `transformer.h.0.`", "stored", "loaded"]]
    for name, shape in parameter_shapes(published("gpt2")).items():
        if name.startswith(LAYER):
            loaded = shape[::-1] if name.endswith(TRANSPOSED) else shape
            shapes = (f"`{list(s)}`" for s in (shape, loaded))
            rows.append([f"`{name.removeprefix(LAYER)}`", *shapes])
    return rows


def square_untransposed() -> dict[str, np.ndarray]:
    """The weights of a loader that forgets to transpose the square matrices."""
    weights = play.copy_weights()
    for name in weights:
        if name.endswith("attn.c_proj.weight"):
            weights[name] = weights[name].T
    return weights


def layers() -> list[list[str]]:
    """The output of ``gpt2 layers`` for a model with unscaled attention, as a table."""
    rows = [["stage", "step", "whose", "largest difference", ""]]
    for stage, difference in differences().items():
        mark = "✗" if difference else "✓"
        step = f"{maker_of(stage):02}"
        rows.append([f"`{stage}`", step, "yours", f"{difference:.1e}", mark])
    return rows


def differences() -> dict[str, float]:
    """The largest difference of each stage up to the first that differs."""
    first = inside.look_inside(PROMPT)[0]
    equal = ("wte", "wpe", *(f"h.0.{name}" for name in BEFORE))
    wrong = unscaled_shares(first.query, first.key)
    return dict.fromkeys(equal, 0.0) | {
        "h.0.shares": float(np.abs(wrong - first.shares).max())
    }


def unscaled_attention(
    query: np.ndarray, key: np.ndarray, value: np.ndarray
) -> np.ndarray:
    """Attention of ``[..., T, D]`` each, without the division by √D."""
    return unscaled_shares(query, key) @ value


def unscaled_shares(query: np.ndarray, key: np.ndarray) -> np.ndarray:
    """The shares ``[..., T, T]`` without the division by √D."""
    scores = query @ key.swapaxes(-1, -2) + oracle.causal_mask(query.shape[-2])
    return oracle.softmax(scores)

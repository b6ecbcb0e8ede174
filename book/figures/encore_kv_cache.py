"""Figures and numbers of the encore on the KV cache."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from book import play
from book.figures import style
from book.figures._words import published
from solutions.solution_01 import GPT2Config

PROMPT, NEW, LONG = "Once upon a time", 100, 1000
RUNS, CELL = 5, 20  # runs of the model in the figure, pixels of a token
FLOAT32 = 4  # bytes


def figures() -> dict[str, Figure]:
    return {"cache": cache_figure()}


def cache_figure() -> Figure:
    """The tokens that the model reads in each run, without a cache and with a cache."""
    figure, axes = style.canvas(230, width=470)
    prompt = len(play.encode(PROMPT))
    grid(axes, 8, "without a cache", prompt, cached=False)
    grid(axes, 238, "with a cache", prompt, cached=True)
    square(axes, 238, 196, computed=True)
    square(axes, 340, 196, computed=False)
    small = {"ha": "left", "fontsize": style.SMALL}
    style.label(axes, 262, 206, "computed", **small)
    style.label(axes, 364, 206, "key, value kept", **small)
    return figure


def grid(axes: Axes, left: float, title: str, prompt: int, *, cached: bool) -> None:
    """Draws a row for each run of the model and a square for each token of the text."""
    style.label(axes, left, 14, title, ha="left", fontweight="bold")
    for run in range(RUNS):
        top = 40 + 26 * run
        for token in range(prompt + run):
            old = cached and run > 0 and token < prompt + run - 1
            square(axes, left + CELL * token, top, computed=not old)
    total = run_tokens(prompt, RUNS, cached=cached)
    style.label(axes, left, 180, f"{total} tokens in all", ha="left", color=style.MUTED)


def square(axes: Axes, x: float, y: float, *, computed: bool) -> None:
    color = (style.BLUE, 0.75) if computed else "none"
    outline = style.BLUE if computed else style.MUTED
    cell = Rectangle((x, y), CELL - 3, CELL - 3, facecolor=color, edgecolor=outline)
    axes.add_patch(cell)


def run_tokens(prompt: int, new: int, *, cached: bool) -> int:
    """The number of tokens that the model reads to write ``new`` tokens."""
    return prompt + new - 1 if cached else sum(range(prompt, prompt + new))


def numbers() -> dict[str, str | list]:
    tiny, real = play.checkpoint().config, published("gpt2")
    prompt = len(play.encode(PROMPT))
    return {
        "prompt": PROMPT,
        "prompt_length": f"{prompt}",
        "work": work(prompt),
        "shapes": shapes(tiny, prompt),
        "tiny_token": f"{per_token(tiny) / 1e3:.1f} kB",
        "real_token": f"{per_token(real) / 1e3:.0f} kB",
        "real_full": f"{per_token(real) * real.n_positions / 1e6:.0f} MB",
        "layers": f"{tiny.n_layer}",
    }


def work(prompt: int) -> list[list[str]]:
    """A table of the tokens that the model reads for texts of several lengths."""
    rows = [["new tokens", "without a cache", "with a cache", "ratio"]]
    for new in (10, NEW, LONG):
        slow = run_tokens(prompt, new, cached=False)
        fast = run_tokens(prompt, new, cached=True)
        rows.append([f"{new:,}", f"{slow:,}", f"{fast:,}", f"{slow / fast:.0f}"])
    return rows


def shapes(config: GPT2Config, prompt: int) -> list[list[str]]:
    """A table of the shapes of one layer's tensors in the first and second run."""
    heads, size = config.n_head, config.n_embd // config.n_head
    rows = [["", "shape", "the prompt", "one token later"]]
    kinds = [
        ("new ids", "`[B, T]`", [1, prompt], [1, 1]),
        ("queries", "`[B, H, T, D]`", [1, heads, prompt, size], [1, heads, 1, size]),
        ("keys kept", "`[B, H, P, D]`", None, [1, heads, prompt, size]),
        (
            "keys used",
            "`[B, H, P + T, D]`",
            [1, heads, prompt, size],
            [1, heads, prompt + 1, size],
        ),
        ("mask", "`[T, P + T]`", [prompt, prompt], [1, prompt + 1]),
    ]
    for name, shape, first, second in kinds:
        rows.append([name, shape, shown(first), shown(second)])
    return rows


def shown(shape: list[int] | None) -> str:
    return "none" if shape is None else f"`{shape}`"


def per_token(config: GPT2Config) -> int:
    """The bytes of one token's keys and values in all layers."""
    return 2 * config.n_layer * config.n_embd * FLOAT32

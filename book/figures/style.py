"""The sizes, colours, fonts and shapes of the book's figures.

Lengths are pixels of a page at full size. Colours become variables of the page's style
sheet, so that a figure follows the light or dark theme.
"""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from gpt2.checkpoint.tokenizer import marked

# In the light theme; book/theme/css/variables.css has both themes' values.
INK = "#1f2933"  # text and the most important lines
MUTED = "#5b6875"  # axes and secondary text
GRID = "#d5dbe1"  # lines in the background
PAPER = "#fdfdfc"  # the page's background, and text on a strong colour
BLUE, ORANGE, GREEN = "#2361a8", "#b3501a", "#1c7553"
PURPLE, GOLD, PINK = "#7146a0", "#866400", "#ab2b5c"
COLORS = [BLUE, ORANGE, GREEN, PURPLE, GOLD, PINK]
VARIABLES = {
    INK: "--fig-ink",
    MUTED: "--fig-muted",
    GRID: "--fig-grid",
    PAPER: "--fig-paper",
    **{color: f"--fig-{i}" for i, color in enumerate(COLORS, start=1)},
}

WIDTH = 640  # as wide as a column of text
TEXT, SMALL = 13, 11.5
SIGN = 20  # of an operator between two tables
COVERED = 0.22  # the strength of a square that the causal mask hides
MONO = "DejaVu Sans Mono"  # svg.py replaces it by the page's monospace font

mpl.use("svg")
mpl.rcParams.update(
    {
        "svg.fonttype": "none",
        "svg.hashsalt": "book",
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "font.family": "DejaVu Sans",
        "font.size": TEXT,
        "axes.labelsize": TEXT,
        "axes.titlesize": TEXT,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "legend.fontsize": SMALL,
        "legend.frameon": False,
        "text.color": INK,
        "axes.titlecolor": INK,
        "axes.labelcolor": MUTED,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 1,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "grid.color": GRID,
        "grid.linewidth": 1,
        "lines.linewidth": 2,
        "patch.linewidth": 1,
        "axes.prop_cycle": cycler(color=COLORS),
    }
)


def chart(height: int, *, width: int = WIDTH) -> tuple[Figure, Axes]:
    """A figure with one chart, without overlaps."""
    figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
    return figure, figure.add_subplot()


def charts(
    height: int, *, rows: int = 1, columns: int, width: int = WIDTH, **options
) -> tuple[Figure, np.ndarray]:
    """A figure with several charts in a row or in a grid, without overlaps.

    Returns:
        The figure, and its axes: ``[columns]``, or ``[rows, columns]``.
    """
    figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
    axes = figure.subplots(rows, columns, **options)
    assert isinstance(axes, np.ndarray)  # one chart alone would be none
    return figure, axes


def chain(
    height: int, operations: Sequence[str], *, width: int = WIDTH
) -> tuple[Figure, list[Axes]]:
    """A figure with charts in a row and an operation between two of them.

    So tables side by side cannot be read as one table.

    Args:
        operations: one less than there are charts: signs, such as "+", or names. A name
            stands on an arrow from the chart before to the chart behind.

    Returns:
        The figure, and the axes of its charts.
    """
    ratios = [6, *(part for _ in operations for part in (2, 6))]
    figure, axes = charts(height, columns=len(ratios), width=width, width_ratios=ratios)
    for between, name in zip(axes[1::2], operations, strict=True):
        between.axis("off")
        between.set_xlim(0, 1)
        between.set_ylim(0, 1)
        if len(name) > 1:
            arrow(between, (0, 0.5), (1, 0.5))
            label(between, 0.5, 0.58, name, color=MUTED)
        else:
            label(between, 0.5, 0.5, name, fontsize=SIGN, color=MUTED)
    return figure, list(axes[::2])


def canvas(height: int, *, width: int = WIDTH) -> tuple[Figure, Axes]:
    """A figure for a drawing, without visible axes: x right, y down, in pixels."""
    figure = Figure(figsize=(width / 72, height / 72))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    return figure, axes


def box(
    axes: Axes,
    x: float,
    y: float,
    width: float,
    height: float,
    text: str = "",
    *,
    color: str = BLUE,
    strength: float = 0.14,
    **options,
) -> None:
    """Draws a rounded box with text in the middle; (x, y) is the upper left corner."""
    shape = FancyBboxPatch(
        (x, y),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=6",
        facecolor=(color, strength),
        edgecolor=color,
    )
    axes.add_patch(shape)
    if text:
        label(axes, x + width / 2, y + height / 2, text, **options)


def label(axes: Axes, x: float, y: float, text: str, **options) -> None:
    """Writes text, centred on a point unless ``ha`` or ``va`` is given."""
    axes.text(x, y, text, **{"ha": "center", "va": "center"} | options)


def arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    color: str = MUTED,
    bend: float = 0.0,
) -> None:
    """Draws an arrow, straight or curved."""
    shape = FancyArrowPatch(
        start,
        end,
        arrowstyle="-|>",
        mutation_scale=11,
        shrinkA=0,
        shrinkB=0,
        linewidth=1.5,
        color=color,
        connectionstyle=f"arc3,rad={bend}",
    )
    axes.add_patch(shape)


def heatmap(
    axes: Axes,
    values: np.ndarray,
    *,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    color: str = BLUE,
    negative: str = ORANGE,
    largest: float | None = None,
    texts: np.ndarray | None = None,
    hidden: np.ndarray | None = None,
) -> None:
    """Draws a matrix as squares. A larger absolute value has a stronger colour.

    Args:
        values: ``[rows, columns]``.
        rows, columns: their labels, such as tokens.
        color, negative: for values above and below 0.
        largest: the absolute value of the full colour; by default the largest value.
        texts: ``[rows, columns]``, the text in each square.
        hidden: ``[rows, columns]``, True where the causal mask hides a token. These
            squares are grey in all figures, whatever their values.
    """
    covered = np.zeros(values.shape, bool) if hidden is None else hidden
    top = largest or np.abs(values[~covered]).max(initial=0.0) or 1.0
    for (i, j), value in np.ndenumerate(values):
        if covered[i, j]:
            square(axes, j, i, MUTED, COVERED)
        else:
            square(axes, j, i, color if value >= 0 else negative, abs(value) / top)
        if texts is not None:
            ink = MUTED if covered[i, j] else INK
            label(axes, j, i, str(texts[i, j]), fontsize=SMALL, color=ink)
    axes.set_xlim(-0.5, values.shape[1] - 0.5)
    axes.set_ylim(values.shape[0] - 0.5, -0.5)
    axes.set_aspect("equal")
    name_squares(axes, rows, columns)


def square(axes: Axes, x: int, y: int, color: str, strength: float) -> None:
    """Draws one cell of a heatmap; its outline is visible even at strength 0."""
    shape = Rectangle(
        (x - 0.46, y - 0.46),
        0.92,
        0.92,
        facecolor=(color, round(min(strength, 1.0), 3)),
        edgecolor=GRID,
        linewidth=0.5,
    )
    axes.add_patch(shape)


def name_squares(axes: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Labels a heatmap: columns above it, rotated; rows at the left."""
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="left")
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    for tick in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        tick.set_color(INK)
        tick.set_rotation_mode("anchor")
    axes.spines[:].set_visible(False)


def level_columns(axes: Axes) -> None:
    """Turns the short labels of a heatmap's columns level."""
    axes.tick_params(axis="x", rotation=0)
    for name in axes.get_xticklabels():
        name.set_horizontalalignment("center")


def bars(
    axes: Axes,
    labels: Sequence[str],
    values: Sequence[float],
    *,
    color: str | Sequence[str] = BLUE,
    texts: Sequence[str] = (),
) -> None:
    """Draws horizontal bars with labels, the first on top; values are optional."""
    places = range(len(values))
    drawn = axes.barh(places, values, color=color, height=0.7)
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    if texts:
        axes.bar_label(drawn, texts, padding=4, fontsize=SMALL)
    axes.spines["left"].set_visible(False)


def token(text: str) -> str:
    """A token's text with marks, as in the terminal."""
    return marked(text)

"""Lays a figure's charts out again for a phone, so that nobody has to scroll."""

from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Text
from matplotlib.transforms import Bbox

PHONE = 374  # pixels: a phone's 390 without the smallest margins
OPERATION = 34  # pixels of a sign or an arrow between two charts
SLACK = 2  # pixels by which labels may touch: their boxes are larger than their letters


def narrow(figure: Figure) -> bool:
    """Changes a figure to the width of a phone; charts in a row go below each other.

    Returns:
        False if that cannot be done: the figure is no chart, but drawn in pixels, or
        its labels would overlap.
    """
    width, height = figure.get_size_inches() * 72
    if figure.get_layout_engine() is None or width <= PHONE:
        return False
    rows, columns = grid(figure.axes)
    if rows == 1:
        stack(figure, height)
    else:
        share_label(figure, figure.axes[-columns:])
        squares = all(axes.get_aspect() == 1 for axes in figure.axes)
        saved = squares * (width - PHONE) / columns * rows
        figure.set_size_inches(PHONE / 72, (height - saved) / 72)
    if overlaps(figure):
        tilt(figure)
    return not overlaps(figure)


def tilt(figure: Figure) -> None:
    """Gives long labels below the charts room."""
    for axes in figure.axes:
        for label in axes.get_xticklabels():
            label.set(rotation=45, ha="right", rotation_mode="anchor")


def grid(axes: list[Axes]) -> tuple[int, int]:
    """The numbers of rows and columns of a figure's charts."""
    spec = axes[0].get_subplotspec()
    assert spec is not None  # style.chart and style.charts place by a grid
    rows, columns = spec.get_gridspec().get_geometry()
    return rows, columns


def stack(figure: Figure, height: float) -> None:
    """Moves charts from one row into one column; each names its own rows."""
    first, *others = figure.axes
    # What has no axes is an operation between two charts: see style.chain.
    heights = [height if axes.axison else OPERATION for axes in figure.axes]
    figure.set_size_inches(PHONE / 72, sum(heights) / 72)
    places = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    for i, axes in enumerate(figure.axes):
        axes.set_subplotspec(places[i])
        if not axes.axison:
            turn_down(axes)
    for axes in others:
        if not len(axes.get_yticks()) and axes.get_ylim() == first.get_ylim():
            names = [label.get_text() for label in first.get_yticklabels()]
            axes.set_yticks(first.get_yticks(), names)
            for label in axes.get_yticklabels():
                label.set_color(first.get_yticklabels()[0].get_color())
        axes.tick_params(labelleft=True)


def turn_down(axes: Axes) -> None:
    """Lets an operation's arrow point down, with its name on the right."""
    for arrow in axes.findobj(FancyArrowPatch):
        assert isinstance(arrow, FancyArrowPatch)
        arrow.set_positions((0.4, 1), (0.4, 0))
        for name in axes.texts:
            name.set(position=(0.43, 0.5), horizontalalignment="left")


def share_label(figure: Figure, lowest: list[Axes]) -> None:
    """Writes once what all charts of the lowest row say below themselves."""
    labels = {axes.get_xlabel() for axes in lowest}
    if len(labels) == 1 and (text := labels.pop()):
        label = lowest[0].xaxis.label
        figure.supxlabel(text, size=label.get_fontsize(), color=label.get_color())
        for axes in lowest:
            axes.set_xlabel("")


def overlaps(figure: Figure) -> bool:
    """True if two labels are in the same place, or one leaves the figure."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [label.get_window_extent() for label in labels(figure)]
    edge = Bbox(figure.bbox.get_points()).padded(SLACK)
    outside = any(not edge.contains(x, y) for box in boxes for x, y in box.corners())
    return outside or any(meet(a, b) for a, b in combinations(boxes, 2))


def labels(figure: Figure) -> list[Text]:
    """A figure's visible texts that stand upright.

    The box around an oblique text is larger than the text.
    """
    texts = [x for x in figure.findobj(Text) if isinstance(x, Text)]
    beyond = {label for axes in figure.axes for label in unseen(axes)}
    return [
        text
        for text in texts
        if text not in beyond
        and text.get_visible()
        and text.get_text().strip()
        and text.get_rotation() % 90 == 0
    ]


def unseen(axes: Axes) -> list[Text]:
    """Labels of places outside a chart: they exist, and are not drawn."""
    found = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        beyond = [t for t in axis.get_major_ticks() if not low <= t.get_loc() <= high]
        found += [label for tick in beyond for label in (tick.label1, tick.label2)]
    return found


def meet(a: Bbox, b: Bbox) -> bool:
    """True if two boxes share more than their edges."""
    both = Bbox.intersection(a, b)
    return both is not None and both.width > SLACK and both.height > SLACK

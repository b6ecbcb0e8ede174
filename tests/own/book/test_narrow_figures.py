"""Charts for phones: as wide as the screen, below each other, without overlaps."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from book.figures import style
from book.figures._compact import compact
from book.figures._narrow import PHONE, narrow


def pair() -> Figure:
    """Two heatmaps beside each other; only the first names its rows."""
    figure, axes = style.charts(200, columns=2)
    style.heatmap(axes[0], np.eye(2), rows=["a", "b"], columns=["c", "d"])
    style.heatmap(axes[1], np.eye(2), columns=["c", "d"])
    return figure


def pixels(figure: Figure) -> list[float]:
    return [round(side * 72, 6) for side in figure.get_size_inches()]


def test_charts_in_a_row_go_below_each_other_and_name_their_rows() -> None:
    figure = pair()
    assert narrow(figure)
    assert pixels(figure) == [PHONE, 400]
    upper, lower = figure.axes
    assert upper.get_position().y0 > lower.get_position().y1
    assert [label.get_text() for label in lower.get_yticklabels()] == ["a", "b"]


def test_operation_between_charts_points_down() -> None:
    figure, axes = style.chain(200, ["softmax"])
    for each in axes:
        style.heatmap(each, np.eye(2), rows=["a", "b"])
    assert narrow(figure)
    assert pixels(figure)[1] < 3 * 200
    (arrow,) = figure.findobj(FancyArrowPatch)
    assert isinstance(arrow, FancyArrowPatch)
    (start, end) = arrow._posA_posB  # type: ignore[attr-defined]
    assert start[0] == end[0]
    assert start[1] > end[1]


def test_label_of_all_columns_is_written_once() -> None:
    figure, axes = style.charts(300, rows=2, columns=2)
    for each in axes[-1]:
        each.set_xlabel("tokens, the likeliest first")
    assert narrow(figure)
    assert figure.get_supxlabel() == "tokens, the likeliest first"
    assert [each.get_xlabel() for each in axes[-1]] == ["", ""]


def test_drawing_in_pixels_stays_as_it_is() -> None:
    figure, _ = style.canvas(100, width=500)
    assert not narrow(figure)
    assert pixels(figure) == [500, 100]


def test_long_labels_are_tilted() -> None:
    figure, axes = style.chart(200)
    axes.set_xticks(range(6), ["a long label"] * 6)
    axes.set_xlim(-0.5, 5.5)
    assert narrow(figure)
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {45}


@pytest.mark.parametrize(("place", "fits"), [(0.8, True), (0.21, False)])
def test_chart_whose_labels_would_overlap_has_no_narrow_version(
    place: float, fits: bool
) -> None:
    figure, axes = style.chart(200)
    style.label(axes, 0.2, 0.5, "first label")
    style.label(axes, place, 0.5, "second label")
    assert narrow(figure) is fits


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("M 1.04 2 L 3.56 2 L 3.56 4 L 1.04 4 z", "M1 2H3.6V4H1z"),
        ("M 1 2 Q 1 3 1 5 L 7 5 L 8 9", "M1 2Q1 3 1 5H7L8 9"),
    ],
)
def test_paths_are_written_short(path: str, short: str) -> None:
    assert (
        compact(f'<svg><path d="{path}"/></svg>') == f'<svg><path d="{short}"/></svg>'
    )

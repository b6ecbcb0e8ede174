"""Where the cells of a grid are: folded rows, and the cell at a point."""

from typing import Any

import pytest

SIZES = [(580, 5, 224), (286, 5, 224), (280, 9, 896), (250, 5, 5), (290, 32, 32)]
LAYOUT = """([room, rows, columns]) => {
  const layout = new lab.gridLayout.Layout(room, rows, columns);
  const all = Array.from({ length: rows * columns }, (_, i) =>
    [Math.floor(i / columns), i % columns]);
  const boxes = all.map((cell) => layout.box(...cell));
  const middle = ({ x, y, width, height }) => layout.at(x + width / 2, y + height / 2);
  return {
    ...layout,
    found: all.filter((cell) => middle(layout.box(...cell))?.join() !== cell.join()),
    right: Math.max(...boxes.map(({ x, width }) => x + width)),
    outside: [[-1, 0], [0, -1], [room + 1, 0], [0, layout.total + layout.gap + 1]]
      .map((point) => layout.at(...point)),
    boxes: layout.boxes({ rows: [1, 3], columns: [2, columns - 1] }),
  };
}"""


@pytest.mark.parametrize("size", SIZES)
def test_each_point_leads_to_its_cell(js: Any, size: tuple[int, int, int]) -> None:
    layout = js(LAYOUT, list(size))
    assert layout["found"] == []
    assert layout["outside"] == [None] * 4
    assert layout["right"] <= size[0] + 1e-9


@pytest.mark.parametrize("size", SIZES)
def test_cells_can_be_seen(js: Any, size: tuple[int, int, int]) -> None:
    layout = js(LAYOUT, list(size))
    assert layout["width"] >= 2
    assert layout["height"] >= 5


@pytest.mark.parametrize("size", SIZES)
def test_a_region_has_a_box_for_each_line(js: Any, size: tuple[int, int, int]) -> None:
    layout = js(LAYOUT, list(size))
    boxes = layout["boxes"]
    assert len(boxes) == 2 * layout["lines"]
    width = sum(box["width"] for box in boxes)
    assert width == pytest.approx(2 * (size[2] - 3) * layout["width"])

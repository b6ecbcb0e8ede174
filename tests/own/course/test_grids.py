"""The table of a report shows the numbers around the largest difference."""

import io

import numpy as np
from rich.console import Console

from course.comparison import Comparison
from course.grids import grid, number


def shown(yours: np.ndarray, expected: np.ndarray, *axes: str) -> list[str]:
    """The lines of the table on a terminal of 78 characters."""
    console = Console(file=io.StringIO(), width=76, record=True)
    console.print(grid(Comparison("f(x)", yours, expected, {}, axes, 2e-5)))
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_rows_are_marked() -> None:
    expected = np.arange(6.0).reshape(2, 3)
    yours = expected.copy()
    yours[1, 2] = -7.25
    head, first, second = shown(yours, expected, "token", "channel")
    assert head.split() == ["expected", "yours"]
    assert first.split() == ["✓", "0", "1", "2", "0", "1", "2", "token", "0"]
    assert second.split() == ["✗", "3", "4", "5", "3", "4", "-7.25", "token", "1"]


def test_the_part_with_the_largest_difference() -> None:
    expected = np.zeros((3, 20, 12))
    yours = expected.copy()
    yours[2, 15, 9] = 1
    yours[0, 0, 0] = 0.5
    head, *rows = shown(yours, expected, "text", "token", "channel")
    assert "(text 2, channels 7–11)" in head
    assert [row.split()[-1] for row in rows] == [str(n) for n in range(11, 19)]
    assert [row[0] for row in rows].count("✗") == 1
    assert max(map(len, [head, *rows])) <= 76


def test_a_row_of_its_own() -> None:
    yours, expected = np.array([1.0, np.nan]), np.array([1.0, -np.inf])
    _, row = shown(yours, expected, "id")
    assert row.split() == ["✗", "1", "-inf", "1", "nan"]


def test_numbers_take_five_characters() -> None:
    for x in (0.0, -1.0, 0.123456, -9.999, 12.34, -123.4, 9999.0, np.inf):
        assert len(number(x)) in (5, 6)
    assert number(1e-3).strip() == "1e-03"

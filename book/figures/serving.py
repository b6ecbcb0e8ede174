"""Figures and numbers of the page on serving. A file holds the measurements."""

import math
from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.machine import described
from book.figures import _invariance, _padding, style
from book.figures._measured import result

LENGTHS = (3, 9, 5, 4, 2, 6)  # new tokens of each request in the figure
ROWS, CELL = 3, 22  # rows of the batch in the figure, pixels of a token
PACE = 10  # tokens per second for each reader
READERS = (10, 30, 100, 300)  # at the same moment


def figures() -> dict[str, Figure]:
    return {"continuous-batch": batches()}


def batches() -> Figure:
    """Draws the request in each row of a batch, for each run of the model."""
    figure, axes = style.canvas(232, width=470)
    draw(axes, 8, "in groups: wait for the longest", groups(LENGTHS))
    draw(axes, 124, "continuous: whoever waits takes a free row", stream(LENGTHS))
    return figure


def draw(axes: Axes, top: float, title: str, places: Sequence[tuple]) -> None:
    """Draws each row of the batch as a row, with a square for each token."""
    style.label(axes, 8, top + 8, title, ha="left", fontweight="bold")
    for number, (row, start) in enumerate(places):
        color, y = style.COLORS[number], top + 24 + row * (CELL + 4)
        for token in range(LENGTHS[number]):
            x = 8 + (start + token) * CELL
            name = "ABCDEF"[number] if token == 0 else ""
            style.box(axes, x, y, CELL - 3, CELL, name, color=color, strength=0.2)


def groups(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """The row and the first run of each request, if groups start together."""
    places, start = [], 0
    for first in range(0, len(lengths), ROWS):
        group = lengths[first : first + ROWS]
        places += [(row, start) for row in range(len(group))]
        start += max(group)
    return places


def stream(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """The row and the first run of each request, if each takes the first free row."""
    free, places = [0] * ROWS, []
    for length in lengths:
        row = free.index(min(free))
        places.append((row, free[row]))
        free[row] += length
    return places


def runs(places: Sequence[tuple[int, int]]) -> int:
    """The number of runs of the model until all texts are complete."""
    return max(start + n for (_, start), n in zip(places, LENGTHS, strict=True))


def numbers() -> dict[str, str | list]:
    found = result("serving")
    rates = {row["clients"]: row["tokens_per_second"] for row in found["levels"]}
    one, most = rates[min(rates)], max(rates.values())
    return {
        "machine": described(found),
        "seconds": f"{found['seconds']:.0f}",
        "load": [*load()],
        "gain": f"{rates[8] / one:.1f}",
        "wrong": f"{sum(row['wrong'] for row in found['levels'])}",
        "failed": f"{sum(row['failed'] for row in found['levels'])}",
        "requests": f"{sum(row['requests'] for row in found['levels']):,}",
        "most": f"{most:.0f}",
        "pace": f"{PACE}",
        "batch": f"{max(rates)}",
        "sizes": [*sizes(most / found["replicas"], max(rates))],
        "group_runs": f"{runs(groups(LENGTHS))}",
        "stream_runs": f"{runs(stream(LENGTHS))}",
        **_padding.numbers(),
        **_invariance.numbers(),
    }


def load() -> Iterator[list[str]]:
    """Yields a table's rows: the measured levels of load."""
    yield ["clients", "tokens/s in all", "per client", "first token, half", "95 %"]
    for row in result("serving")["levels"]:
        rate, first = row["tokens_per_second"], row["first_token_seconds"]
        waits = [f"{1000 * first[name]:.0f} ms" for name in ("p50", "p95")]
        each = rate / row["clients"]
        yield [f"{row['clients']}", f"{rate:.0f}", f"{each:.0f}", *waits]


def sizes(rate: float, batch: int) -> Iterator[list[str]]:
    """Yields a table's rows: replicas for several numbers of readers."""
    yield ["readers at once", "tokens/s", "replicas for that", "for a row each"]
    for readers in READERS:
        wanted = readers * PACE
        needed = math.ceil(wanted / rate), math.ceil(readers / batch)
        yield [f"{readers}", f"{wanted:,}", *(f"{count}" for count in needed)]

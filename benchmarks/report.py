"""Reads a run's figures, and shows them as tables and as a picture."""

import json
from pathlib import Path

from rich.table import Table

PRECISIONS = {"float32": 4, "bfloat16": 2, "int8": 1}  # bytes of a weight, no scales


def read(path: Path) -> dict:
    """Reads a result of ``benchmarks.decode``.

    The older form has only float32, one bandwidth, and names with versions.
    """
    result = json.loads(path.read_text(encoding="utf-8"))
    if "weights_bytes" not in result:
        return result
    speed = result["read_bytes_per_second"]
    for row in [row for kind in KINDS for row in result[kind]]:
        row["precision"] = "float32"
    return result | {
        "new": 128,
        "weights": result["weights_bytes"] / PRECISIONS["float32"],
        "read_bytes_per_second": {"median": speed, "low": speed, "high": speed},
    }


KINDS = "decoding", "prefill", "positions"


def floor(result: dict, precision: str) -> float:
    """The seconds to read all weights of a precision once, without scales."""
    size = result["weights"] * PRECISIONS[precision]
    return size / result["read_bytes_per_second"]["median"]


def measured(result: dict) -> list[tuple[str, str]]:
    """The name and the precision of all that was measured, float32 first."""
    rows = [row for kind in KINDS for row in result[kind]]
    found = dict.fromkeys((row["name"], row["precision"]) for row in rows)
    return sorted(found, key=lambda one: list(PRECISIONS).index(one[1]))


def find(
    result: dict, kind: str, name: str, precision: str, **where: int
) -> dict | None:
    """The row of a program, where it has one."""
    wanted = {"name": name, "precision": precision, **where}.items()
    return next((row for row in result[kind] if wanted <= row.items()), None)


def tables(result: dict) -> list[Table | str]:
    """All tables of a run, and what was left out."""
    speed = shown(result["read_bytes_per_second"], 1, 1e9)
    texts = [f"reading memory: {speed} GB/s, {result['threads']} threads"]
    texts += [f"{name}: {libraries}" for name, libraries in result["versions"].items()]
    missing = "left out: {name}, {where}: {reason}"
    texts += [missing.format(**one) for one in result["left_out"]]
    return [rates(result), times(result), *texts]


def rates(result: dict) -> Table:
    """A table of the tokens per second, by weights, program and number of texts."""
    batches = sorted({row["batch"] for row in result["decoding"]})
    heads = [f"{batch} text{'s' * (batch > 1)}" for batch in batches]
    table = wide("weights", "", *heads, "of the floor", "ids as the first")
    for name, precision in measured(result):
        rows = [find(result, "decoding", name, precision, batch=b) for b in batches]
        cells = [shown(row["tokens_per_second"]) if row else "" for row in rows]
        same = sum(row["same_ids"] for row in rows if row)
        ids = sum(row["ids"] for row in rows if row)
        share = part_of_floor(result, name, precision)
        table.add_row(precision, name, *cells, share, f"{same} of {ids}")
    return table


def part_of_floor(result: dict, name: str, precision: str) -> str:
    """The rate of one text as a share of the rate at which memory gives the weights."""
    if not (row := find(result, "decoding", name, precision, batch=1)):
        return ""
    return f"{row['tokens_per_second']['median'] * floor(result, precision):.0%}"


def times(result: dict) -> Table:
    """A table of a long prompt's seconds, and of the milliseconds per token."""
    places = sorted({row["position"] for row in result["positions"]})
    heads = [f"ms per token at {place}" for place in places]
    table = wide("weights", "", "prompt of 512, s", *heads)
    for name, precision in measured(result):
        row = find(result, "prefill", name, precision)
        cells = [shown(row["seconds"], 2) if row else ""]
        for place in places:
            row = find(result, "positions", name, precision, position=place)
            cells.append(shown(row["milliseconds"]) if row else "")
        table.add_row(precision, name, *cells)
    return table


def wide(*heads: str) -> Table:
    """A table that cuts nothing off where the terminal is narrow."""
    table = Table()
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def plot(result: dict, folder: Path) -> None:
    """Draws the rates of one text, and those of float32 by batch, as SVG."""
    import matplotlib.pyplot as plt  # takes a second, so import it only to draw

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    names = list(dict.fromkeys(row["name"] for row in result["decoding"]))
    colors = {name: f"C{place}" for place, name in enumerate(names)}
    ones = [
        (*one, row["tokens_per_second"])
        for one in measured(result)
        if (row := find(result, "decoding", *one, batch=1))
    ]
    for place, (name, precision, speed) in enumerate(ones):
        ends = [[speed["median"] - speed["low"]], [speed["high"] - speed["median"]]]
        left.barh(place, speed["median"], xerr=ends, color=colors[name], ecolor="gray")
        limit = 1 / floor(result, precision)
        left.plot([limit, limit], [place - 0.5, place + 0.5], ":", color="black")
    left.set_yticks(range(len(ones)), [f"{name}, {kind}" for name, kind, _ in ones])
    left.tick_params("y", labelsize="small")
    left.invert_yaxis()
    left.set(xlabel="tokens per second, 1 text; dotted: the floor")
    for name in names:
        rows = [
            row
            for row in result["decoding"]
            if (row["name"], row["precision"]) == (name, "float32")
        ]
        speeds = [row["tokens_per_second"]["median"] for row in rows]
        batches = [row["batch"] for row in rows]
        right.plot(batches, speeds, "o-", color=colors[name], label=name)
    right.set(xlabel="texts at once, float32", ylabel="tokens per second", xscale="log")
    right.set_xticks([1, 8, 32], ["1", "8", "32"])
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    figure.savefig(folder / "decode.svg", metadata={"Date": None})


def shown(values: dict[str, float], digits: int = 1, unit: float = 1) -> str:
    """A median with the lowest and the highest, in a unit."""
    parts = {name: f"{value / unit:.{digits}f}" for name, value in values.items()}
    return "{median} ({low}–{high})".format(**parts)

"""What a token costs beside its products: precision, parts, starts and compiling.

Recorded by ``book.precisions``, ``parts``, ``operations`` and ``compiling``, each
with ``--out benchmarks/results``.
"""

from book.figures._measured import result, spread
from book.figures._text import decimal
from book.figures._words import published, signed

WAYS = {
    "compiled": "one of many in a compiled graph",
    "at once": "computed at once, as your uncompiled model is here (`runtime/direct`)",
    "interpreted": "computed by MAX's interpreter, with a graph of its own",
}
FLOAT32, SMALLEST = "float32", "int8"
OURS, MAX = "the model, our kernels", "the model, MAX's operations"


def numbers() -> dict[str, str | list]:
    """The numbers of the sections on smaller weights and on what remains."""
    return {
        "precisions": precisions(),
        "held_out_stories": f"{result('precisions')['stories']}",
        "parts": parts(),
        **late(),
        "operation_costs": operation_costs(),
        "dispatches": dispatches(),
        "compiling": compiling(),
        "compile_ours": seconds(OURS),
        "compile_max": seconds(MAX),
    }


def precisions() -> list[list[str]]:
    """A table of what smaller weights cost in loss and save in memory."""
    heads = "loss, nats per token", "more than float32", "bits per byte"
    rows = [["weights", *heads, "this model", "GPT-2 124M"]]
    for row in result("precisions")["rows"]:
        more, loss = row["more_than_float32"], row["nats_per_token"]["mean"]
        away = f"{signed(more['mean'], 5)} ± {more['standard_error']:.5f}"
        cells = [f"{loss:.4f}", "" if row["precision"] == FLOAT32 else away]
        cells += [
            decimal(row["bits_per_byte"], 4),
            f"{row['embedded_bytes'] / 1e6:.1f} MB",
        ]
        rows.append([row["precision"], *cells, f"{row['gpt2_bytes'] / 1e6:.0f} MB"])
    return rows


def parts() -> list[list[str]]:
    """A table of a token's parts early in a text, by the weights' precision."""
    found = result("parts")
    rates, own = found["read_bytes_per_second"]["median"], early()
    rows = [["part", *(text for one in own for text in (one, "reading"))]]
    for part in own[FLOAT32]["milliseconds"]:
        cells = []
        for row in own.values():
            read = row["weights_bytes"].get(part, 0)
            alone = f"{1000 * read / rates:.1f} ms" if read else ""
            times = row["milliseconds"][part]
            shown = spread(times) if part == "all" else f"{times['median']:.1f}"
            cells += [f"{shown} ms", alone]
        rows.append([part, *cells])
    return rows


def early() -> dict[str, dict]:
    """The rows of the parts' first position, by precision."""
    rows = result("parts")["rows"]
    first = min(row["position"] for row in rows)
    return {row["precision"]: row for row in rows if row["position"] == first}


def late() -> dict[str, str]:
    """How much longer a token takes late in a text, and how fast the cache is read."""
    rows = [row for row in result("parts")["rows"] if row["precision"] == SMALLEST]
    first, last = sorted(rows, key=lambda row: row["position"])
    more = [row["milliseconds"]["all"]["median"] for row in (first, last)]
    config = published("gpt2")
    tokens = last["position"] - first["position"]
    size = 2 * 4 * config.n_layer * config.n_embd * tokens
    extra = more[1] - more[0]
    return {
        "early_at": f"{first['position']}",
        "late_at": f"{last['position']}",
        "late_more": f"{extra:.1f}",
        "late_times": f"{more[1] / more[0]:.2f}",
        "late_size": f"{size / 1e6:.0f} MB",
        "late_bandwidth": f"{size / extra / 1e6:.0f}",
    }


def operation_costs() -> list[list[str]]:
    """A table of the microseconds of an operation with hardly any work."""
    rows = [["an operation", "microseconds"]]
    for way, times in result("operations")["microseconds"].items():
        rows.append([WAYS[way], spread(times, 0 if times["median"] > 99 else 1)])
    return rows


def dispatches() -> str:
    """The milliseconds of a token that go to starting operations."""
    layers = published("gpt2").n_layer
    count = 9 * layers + 3  # and the embedding, the last norm, the head
    each = result("operations")["microseconds"]["compiled"]["median"]
    return f"{count * each / 1000:.1f}"


def compiling() -> list[list[str]]:
    """A table of the seconds to compile a graph on a new machine."""
    rows = [["a graph of", "seconds"]]
    for name, times in result("compiling")["seconds"].items():
        rows.append([name.replace("our", "the course's"), spread(times, 0)])
    return rows


def seconds(name: str) -> str:
    return f"{result('compiling')['seconds'][name]['median']:.0f}"

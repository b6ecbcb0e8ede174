"""One product by the rows of x, and the limits of memory and arithmetic.

Recorded by ``python -m benchmarks.products --out benchmarks/results``.
"""

from matplotlib.figure import Figure

from benchmarks.products import MAX, NO_FETCH, NUMPY, OURS, ROWS
from book.figures import style
from book.figures._measured import result, spread
from book.figures._parameters import parameters
from book.figures._words import published
from gpt2.engine.precision import PRECISIONS

PROMPT = 512
NAMES = {OURS: "this course", NO_FETCH: "without fetching", MAX: "MAX", NUMPY: "NumPy"}
FEW, FLOAT32 = 8, "float32"


def figures() -> dict[str, Figure]:
    return {"product-rows": product_rows()}


def product_rows() -> Figure:
    """Draws how much each product computes in a second, by the rows of x."""
    figure, axes = style.chart(300, width=470)
    for name, color, marker in zip(NAMES, style.COLORS, "os^D", strict=False):
        middle, low, high = (rates(name, end) for end in ("median", "low", "high"))
        axes.plot(ROWS, middle, color=color, marker=marker, label=NAMES[name])
        axes.fill_between(ROWS, low, high, color=(color, 0.15), linewidth=0)
    limits = [limit(rows) for rows in ROWS]
    axes.plot(ROWS, limits, color=style.MUTED, linestyle=":", label="the limits")
    axes.set(xlabel="rows of x", ylabel="billion operations per second")
    axes.set_xscale("log", base=2)
    axes.set_xticks(ROWS, [f"{rows}" for rows in ROWS])
    axes.set_ylim(0)
    axes.grid(axis="y")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return figure


def rates(name: str, end: str) -> list[float]:
    """The billion operations per second of a product, by the rows of x."""
    times = {rows: product(name, FLOAT32, rows)[end] for rows in ROWS}
    return [work(rows) / time / 1e6 for rows, time in times.items()]


def numbers() -> dict[str, str | list]:
    """The numbers of the sections on the limits and on the kernels."""
    found = result("products")
    one, few = (product(OURS, FLOAT32, rows)["median"] for rows in (1, FEW))
    return {
        "arithmetic": f"{speed('operations') / 1e9:.0f}",
        "balance": f"{balance():.1f}",
        "balance_rows": f"{2 * balance():.0f}",
        "limits": limits_table(),
        "outs": f"{found['outs']:,}",
        "channels": f"{found['channels']}",
        "products": products(),
        "one_bandwidth": f"{size() / one / 1e6:.0f}",
        "plain_bandwidth": f"{speed('read_bytes') / 1e9:.0f}",
        "few": f"{FEW}",
        "few_without": times_as_long(NO_FETCH, few),
        "few_max": times_as_long(MAX, few),
        "smaller_products": smaller_products(),
    }


def size() -> int:
    """The bytes of the measured matrix in float32."""
    return 4 * result("products")["outs"] * result("products")["channels"]


def speed(kind: str) -> float:
    """The processor's bytes or operations per second, beside the products."""
    return result("products")[f"{kind}_per_second"]["median"]


def balance() -> float:
    """The operations that the processor can do while one byte arrives."""
    return speed("operations") / speed("read_bytes")


def work(rows: int) -> int:
    """The operations of the measured product."""
    return 2 * rows * result("products")["outs"] * result("products")["channels"]


def limit(rows: int) -> float:
    """The billion operations per second that memory and arithmetic allow."""
    return min(speed("operations"), rows / 2 * speed("read_bytes")) / 1e9


def product(name: str, precision: str, rows: int) -> dict[str, float]:
    """The measured milliseconds of a product."""
    wanted = {"name": name, "precision": precision, "rows": rows}.items()
    rows_of_all = result("products")["rows"]
    return next(row["milliseconds"] for row in rows_of_all if wanted <= row.items())


def times_as_long(name: str, ours: float) -> str:
    return f"{product(name, FLOAT32, FEW)['median'] / ours:.1f}"


def limits_table() -> list[list[str]]:
    """A table of what a run of the model reads and computes, and both limits."""
    config = published("gpt2")
    head = parameters(config, "wte")
    weights = parameters(config) - parameters(config, "wpe")
    runs = {"one token of one text": 1, "of 8 texts": 8, "of 32 texts": 32}
    operations = {name: 2 * weights * texts for name, texts in runs.items()}
    operations[f"a prompt of {PROMPT}"] = 2 * (weights - head) * PROMPT + 2 * head
    rows = [["one run of the model", "operations", "reading", "computing"]]
    for name, count in operations.items():
        read = 1000 * 4 * weights / speed("read_bytes")
        compute = 1000 * count / speed("operations")
        slower = max(read, compute)
        times = [
            f"**{time:.0f} ms**" if time == slower else f"{time:.0f} ms"
            for time in (read, compute)
        ]
        rows.append([name, f"{count / 1e9:.2g} billion", *times])
    return rows


def products() -> list[list[str]]:
    """A table of the product's milliseconds by the rows of x."""
    rows = [["rows of x", *NAMES.values(), "GB/s", "billion operations/s"]]
    for count in ROWS:
        times = [product(name, FLOAT32, count)["median"] for name in NAMES]
        ours = times[0]
        speeds = f"{size() / ours / 1e6:.0f}", f"{work(count) / ours / 1e6:.0f}"
        rows.append([f"{count}", *(f"{time:.1f}" for time in times), *speeds])
    return rows


def smaller_products() -> list[list[str]]:
    """A table of our product's milliseconds, by the weights' precision."""
    rows = [["weights", "bytes for each", "1 row, ms", f"{FEW} rows, ms"]]
    sizes = {"float32": "4", "bfloat16": "2", "int8": "1 and a scale for 32"}
    for precision in PRECISIONS:
        times = [spread(product(OURS, precision, count)) for count in (1, FEW)]
        rows.append([precision, sizes[precision], *times])
    return rows

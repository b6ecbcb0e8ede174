"""Figures and numbers of the page on speed. Recorded files hold the measurements."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from matplotlib.figure import Figure

from benchmarks import report
from benchmarks.decode import NEW_SLOW, PREFILL, PROMPT
from benchmarks.machine import described
from benchmarks.peers import OURS
from book.figures import _precision, _products, _token, style
from book.figures._measured import RESULTS
from book.figures._parameters import parameters
from book.figures._text import percent
from book.figures._words import SIZES, published
from solutions.solution_01 import GPT2Config

FLOAT32 = 4  # bytes
HEAD = ["model", "one token", "tokens", "one full text"]


@cache
def speeds() -> dict[str, Any]:
    """The result of ``python -m benchmarks.decode --out``."""
    return report.read(RESULTS / "decode.json")


def figures() -> dict[str, Figure]:
    return {"time-per-token": time_per_token(), **_products.figures()}


def time_per_token() -> Figure:
    """Draws the milliseconds per token by the number of earlier tokens."""
    figure, axes = style.chart(320, width=470)
    rows = [row for row in speeds()["positions"] if row["precision"] == "float32"]
    names = list(dict.fromkeys(row["name"] for row in rows))
    for name, color, marker in zip(names, style.COLORS, "os^DvP", strict=False):
        own = [row for row in rows if row["name"] == name]
        places = [row["position"] for row in own]
        times = [row["milliseconds"] for row in own]
        middle, low, high = ([t[k] for t in times] for k in ("median", "low", "high"))
        axes.plot(places, middle, color=color, marker=marker, label=shown(name))
        axes.fill_between(places, low, high, color=(color, 0.15), linewidth=0)
    axes.axhline(floor(), color=style.MUTED, linestyle=":", label="reading the weights")
    axes.set(xlabel="tokens before it", ylabel="milliseconds for one token")
    axes.set_ylim(0)
    axes.set_xticks(places)
    axes.grid(axis="y")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=1)
    return figure


def floor() -> float:
    """The milliseconds to read all float32 weights once on the measured machine."""
    return 1000 * report.floor(speeds(), "float32")


def shown(name: str) -> str:
    """The page's name for a measured engine."""
    return name.replace("ours", "this course")


def numbers() -> dict[str, str | list]:
    real, found = published("gpt2"), speeds()
    total, new = parameters(real), found["new"]
    return {
        "machine": described(found),
        "bandwidth": f"{found['read_bytes_per_second']['median'] / 1e9:.0f}",
        "bandwidths": " to ".join(
            f"{found['read_bytes_per_second'][end] / 1e9:.0f}"
            for end in ("low", "high")
        ),
        "decoding": decoding(),
        "batches": batches(),
        "prefill": prefill(),
        "fastest": fastest(),
        "verdict": verdict(),
        "head_bytes": f"{FLOAT32 * real.n_embd // real.n_head}",
        "row_bytes": f"{FLOAT32 * real.n_embd:,}",
        "prompt": f"{PROMPT}",
        "new": f"{new}",
        "new_slow": f"{NEW_SLOW}",
        "prefill_tokens": f"{PREFILL}",
        "weights": f"{total * FLOAT32 / 1e6:.0f} MB",
        "operations": f"{2 * total / 1e9:.2f} billion",
        "tokens_without": f"{sum(range(PROMPT, PROMPT + new)):,}",
        "tokens_with": f"{PROMPT + new - 1:,}",
        "cache_per_token": f"{per_token(real) / 1e3:.0f} kB",
        "caches": caches(),
        "full_cache": f"{per_token(real) * real.n_positions / 1e6:.0f} MB",
        "attention_share": attention_share(real),
        **_precision.numbers(),
        **_products.numbers(),
        **_token.numbers(),
        "drawn": f"{drawn(real) / 1e6:.0f}",
        "zeros": f"{zeros(real) / 1e6:.0f}",
    }


def decoding() -> list[list[str]]:
    """A table of the measured rates for one text, and their share of the limit."""
    rows = [["engine", "weights", "tokens/s", "lowest to highest", "of the limit"]]
    for name, precision in report.measured(speeds()):
        if row := report.find(speeds(), "decoding", name, precision, batch=1):
            rate = row["tokens_per_second"]
            spread = f"{rate['low']:.1f} to {rate['high']:.1f}"
            share = report.part_of_floor(speeds(), name, precision)
            cells = [f"{rate['median']:.1f}", spread, share.replace("%", " %")]
            rows.append([shown(name), precision, *cells])
    return rows


def batches() -> list[list[str]]:
    """A table of the tokens per second of all texts, by the number of texts."""
    sizes = sorted({row["batch"] for row in speeds()["decoding"]})
    rows = [["tokens/s in all", "weights", *(f"batch {size}" for size in sizes)]]
    for one in report.measured(speeds()):
        found = [report.find(speeds(), "decoding", *one, batch=size) for size in sizes]
        if any(found[1:]):
            rows.append([shown(one[0]), one[1], *map(median_rate, found)])
    return rows


def median_rate(row: dict | None) -> str:
    return f"{row['tokens_per_second']['median']:.0f}" if row else "—"


def prefill() -> list[list[str]]:
    """A table of the seconds until the first token after a long prompt."""
    rows = [["engine", "weights", "seconds", "prompt tokens per second"]]
    for name, precision in report.measured(speeds()):
        if row := report.find(speeds(), "prefill", name, precision):
            seconds = row["seconds"]["median"]
            rate = f"{PREFILL / seconds:.0f}"
            rows.append([shown(name), precision, f"{seconds:.2f}", rate])
    return rows


def fastest() -> list[list[str]]:
    """A table of the fastest program in each case, and of this course beside it."""
    rows = [["weights", "case", "the fastest", "its figure", "this course", "share"]]
    for one in leaders():
        unit = "tokens/s" if one.per_second else "s"
        digits = 0 if one.per_second else 2
        figures = (f"{value:.{digits}f} {unit}" for value in (one.best, one.ours))
        share = percent(one.share)
        rows.append([one.precision, one.case, shown(one.name), *figures, share])
    return rows


@dataclass(frozen=True)
class Leader:
    """The fastest program of one case, beside this course."""

    precision: str
    case: str
    name: str
    best: float
    ours: float
    per_second: bool  # more is better

    @property
    def share(self) -> float:
        """Our speed as a share of the fastest program's."""
        return self.ours / self.best if self.per_second else self.best / self.ours


def leaders() -> list[Leader]:
    """The fastest program of each case that this course and another one did."""
    found = []
    sizes = sorted({row["batch"] for row in speeds()["decoding"]})
    for precision in report.PRECISIONS:
        for size in sizes:
            case = "1 text" if size == 1 else f"{size} texts"
            rows = [r for r in speeds()["decoding"] if r["batch"] == size]
            found += leader(precision, case, rows, "tokens_per_second")
        case = f"a prompt of {PREFILL}"
        found += leader(precision, case, speeds()["prefill"], "seconds")
    return found


def leader(precision: str, case: str, rows: list[dict], figure: str) -> list[Leader]:
    """The fastest of these rows, if this course is among them."""
    own = {r["name"]: r[figure]["median"] for r in rows if r["precision"] == precision}
    if OURS not in own or len(own) == 1:
        return []
    per_second = figure == "tokens_per_second"
    name = (max if per_second else min)(own, key=lambda one: own[one])
    return [Leader(precision, case, name, own[name], own[OURS], per_second)]


def verdict() -> str:
    """A sentence that counts the cases in which this course is the fastest."""
    first = sum(one.name == OURS for one in leaders())
    return f"This course is the fastest in {first} of these {len(leaders())} cases."


def drawn(config: GPT2Config) -> int:
    """The parameters of all ``Linear`` layers, which MAX draws at random."""
    block = parameters(config, "h.0.attn") + parameters(config, "h.0.mlp")
    return config.n_layer * block


def zeros(config: GPT2Config) -> int:
    """The numbers of the two tables, which steps 05 and 06 fill with zeros."""
    return parameters(config, "wte") + parameters(config, "wpe")


def per_token(config: GPT2Config) -> int:
    """The bytes of one token's keys and values in all layers."""
    return 2 * config.n_layer * config.n_embd * FLOAT32


def caches() -> list[list[str]]:
    """A table of the cache's size for one full text, in GPT-2 and in a modern model."""
    rows = [HEAD]
    for name in SIZES:
        config = published(name)
        rows.append(cache_row(f"`{name}`", per_token(config), config.n_positions))
    large = 2 * 32 * 4096 * 2  # keys and values, layers, channels, bytes of a float16
    rows.append(cache_row("32 layers, C = 4,096, float16", large, 8192))
    name = "the same, keys and values for 8 of 32 heads"
    return [*rows, cache_row(name, large // 4, 8192)]


def cache_row(name: str, size: int, tokens: int) -> list[str]:
    whole = size * tokens
    unit = f"{whole / 1e9:.1f} GB" if whole >= 1e9 else f"{whole / 1e6:.0f} MB"
    return [name, f"{size / 1e3:.0f} kB", f"{tokens:,}", unit]


def attention_share(config: GPT2Config) -> str:
    """The cache's share of one token's operations, at the end of a full text."""
    # One multiplication and one addition for each channel of each key and each value.
    attention = 4 * config.n_layer * config.n_positions * config.n_embd
    return f"{attention / (attention + 2 * parameters(config)):.0%}".replace("%", " %")

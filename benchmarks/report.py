"""Shows a run's figures as tables and as a picture."""

from pathlib import Path

from rich.table import Table


def tables(result: dict) -> list[Table]:
    """All tables of a run."""
    return [speed(result), first_token(result), depth(result)]


def speed(result: dict) -> Table:
    """A table of the tokens per second; the title has the limit for one text."""
    floor = result["read_bytes_per_second"] / result["weights_bytes"]
    table = Table(title=f"Tokens per second; the floor at batch 1 is {floor:.1f}")
    for title in ("", "batch", "median (low–high)", "same ids"):
        table.add_column(title)
    for row in result["decoding"]:
        same = {True: "yes", False: "no", None: ""}[row.get("same_ids")]
        figures = shown(row["tokens_per_second"])
        table.add_row(row["name"], str(row["batch"]), figures, same)
    return table


def first_token(result: dict) -> Table:
    """A table of the seconds for a prompt of 512 tokens."""
    table = Table("", "seconds", title="First token after a prompt of 512")
    for row in result["prefill"]:
        table.add_row(row["name"], shown(row["seconds"], 2))
    return table


def depth(result: dict) -> Table:
    """A table of the milliseconds per token, by the number of tokens in the cache."""
    rows = by_name(result["positions"])
    places = [str(row["position"]) for row in next(iter(rows.values()))]
    table = Table("", *places, title="Milliseconds per token at position")
    for name, measured in rows.items():
        table.add_row(name, *(shown(row["milliseconds"]) for row in measured))
    return table


def plot(result: dict, folder: Path) -> None:
    """Draws the rates by batch and the times by position, as SVG."""
    import matplotlib.pyplot as plt  # takes a second, so import it only to draw

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for name, rows in by_name(result["decoding"]).items():
        rates = [row["tokens_per_second"]["median"] for row in rows]
        left.plot([row["batch"] for row in rows], rates, "o-", label=name)
    left.set(xlabel="texts at once", ylabel="tokens per second", xscale="log")
    left.set_xticks([1, 8, 32], ["1", "8", "32"])
    left.legend(fontsize="small")
    for name, rows in by_name(result["positions"]).items():
        times = [row["milliseconds"]["median"] for row in rows]
        right.plot([row["position"] for row in rows], times, "o-", label=name)
    floor = 1000 * result["weights_bytes"] / result["read_bytes_per_second"]
    right.axhline(floor, linestyle=":", color="gray", label="reading the weights")
    right.set(xlabel="tokens in the cache", ylabel="ms per token")
    right.set_ylim(bottom=0)
    right.legend(fontsize="small")
    figure.savefig(folder / "decode.svg", metadata={"Date": None})


def by_name(rows: list[dict]) -> dict[str, list[dict]]:
    """The rows of each peer, by name."""
    names = dict.fromkeys(row["name"] for row in rows)
    return {name: [row for row in rows if row["name"] == name] for name in names}


def shown(values: dict[str, float], digits: int = 1) -> str:
    return "{median:.{d}f} ({low:.{d}f}–{high:.{d}f})".format(**values, d=digits)

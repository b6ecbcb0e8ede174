"""Measures what smaller weights cost and save: ``python -m book.precisions``.

The cost is the embedded model's loss on stories that it was not trained on. The saving
is the size of the weights in memory, of the embedded model and of GPT-2 124M.
"""

from pathlib import Path
from threading import Lock

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.decode import random_weights
from benchmarks.machine import keep, machine
from benchmarks.parts import size
from book import held_out
from gpt2.checkpoint.loading import load_checkpoint
from gpt2.engine.engines import Engine
from gpt2.engine.precision import PRECISIONS, Precision
from solutions.solution_01 import GPT2Config


def model(precision: Precision) -> held_out.Model:
    """The engine as a function from ids ``[T]`` to logits ``[T, V]``."""
    checkpoint, lock = load_checkpoint("tiny-stories"), Lock()
    weights = dict(checkpoint.weights)
    engine = Engine(checkpoint.config, weights, precision=precision, on_compile=print)

    def logits(ids: list[int]) -> np.ndarray:
        with lock:  # the engine has one cache
            return engine.continue_from(0, np.array([ids]), len(ids))[0]

    return logits


def measure() -> list[dict]:
    """The figures of each precision; the differences are to float32."""
    small, large = load_checkpoint("tiny-stories").weights, random_weights(GPT2Config())
    losses = {one: held_out.measure(model(one)) for one in PRECISIONS}
    return [
        {
            "precision": precision,
            "nats_per_token": mean(loss),
            "more_than_float32": mean(loss - losses["float32"]),
            "bits_per_byte": held_out.bits_per_byte(loss),
            "embedded_bytes": size(small, precision),
            "gpt2_bytes": size(large, precision),
        }
        for precision, loss in losses.items()
    ]


def mean(loss: held_out.PerToken) -> dict[str, float]:
    return {"mean": loss.mean, "standard_error": loss.error}


def table(rows: list[dict]) -> Table:
    """The figures, a line for each precision."""
    shown = Table(
        "weights", "loss", "more than float32", "bits/byte", "MB", "GPT-2, MB"
    )
    for row in rows:
        loss, more = row["nats_per_token"], row["more_than_float32"]
        shown.add_row(
            row["precision"],
            f"{loss['mean']:.5f} ± {loss['standard_error']:.5f}",
            f"{more['mean']:+.5f} ± {more['standard_error']:.5f}",
            f"{row['bits_per_byte']:.5f}",
            f"{row['embedded_bytes'] / 1e6:.1f}",
            f"{row['gpt2_bytes'] / 1e6:.0f}",
        )
    return shown


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
def main(out: Path | None) -> None:
    """Show the loss and the size of weights in float32, bfloat16 and int8."""
    rows = measure()
    Console().print(table(rows))
    if out:
        stories = {"stories": len(held_out.stories())}
        keep(machine() | stories | {"rows": rows}, out / "precisions.json")


if __name__ == "__main__":
    main()

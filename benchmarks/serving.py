"""Measures the server under load: ``python -m benchmarks.serving``.

It starts ``gpt2 serve`` on this machine. Then 1, 8 and 32 clients request greedy texts
of different lengths. Every text must equal the text that the model writes alone.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.machine import keep, machine
from benchmarks.server import Server
from runtime.children import run_child

MODEL = "tiny-stories"
CLIENTS = (1, 8, 32)
PROMPTS = (
    "Once upon a time",
    "One day",
    "Tom had a red ball.",
    "The little dog ran to the park and saw a cat who",
    "Lily",
    '"Can I play with you?" asked',
    "It was raining, so Ben and his sister stayed in the house. They",
    "Mum said",
)
LENGTHS = (24, 48, 64, 96)  # new tokens


def requests() -> list[dict]:
    """The clients' requests: every prompt with every length."""
    return [
        {"model": MODEL, "prompt": prompt, "max_tokens": length, "temperature": 0}
        for length in LENGTHS
        for prompt in PROMPTS
    ]


def alone() -> list[str]:
    """The right text for each request, written without a batch."""
    from gpt2.checkpoint.loading import load_checkpoint
    from gpt2.decoding.generation import Strategy
    from gpt2.runs import Run
    from gpt2.writer import Writer

    checkpoint = load_checkpoint(MODEL)
    writer = Writer(
        checkpoint, mine=False, cache=True, device="cpu", seed=0, note=print
    )
    texts = []
    for request in requests():
        ids = checkpoint.tokenizer.encode(request["prompt"])
        run = Run("", ids, checkpoint.tokenizer)
        for _ in run.follow(
            writer.steps(ids, request["max_tokens"], Strategy(temperature=0))
        ):
            pass
        texts.append(run.text + run.finish())
    return texts


@contextmanager
def server(*options: str) -> Iterator[str]:
    """Runs ``gpt2 serve``; yields the address once the server answers."""
    try:
        running = Server(*options)
    except RuntimeError as error:
        raise click.ClickException(str(error)) from error
    try:
        yield running.address.removesuffix("/v1")
    finally:
        running.end()


def load(address: str, clients: int, seconds: float, expected: list[str]) -> dict:
    """Runs one level of load in a separate process, ``benchmarks.clients``."""
    task = {"requests": requests(), "expected": expected}
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as file:
        json.dump(task, file)
        file.flush()
        command = [sys.executable, "-m", "benchmarks.clients", address, file.name]
        command += [str(clients), str(seconds)]
        done = run_child(
            command, env=dict(os.environ), stdout=subprocess.PIPE, check=True
        )
    return json.loads(done.stdout)


def table(result: dict) -> Table:
    """A table with a row for each level of load."""
    shown = Table(title=f"{MODEL}, {result['seconds']:.0f} s each")
    for title in ("clients", "tokens/s", "requests", "first token p50, p95 (ms)"):
        shown.add_column(title)
    for title in ("failed", "wrong"):
        shown.add_column(title)
    for row in result["levels"]:
        first = row["first_token_seconds"]
        shown.add_row(
            str(row["clients"]),
            f"{row['tokens_per_second']:.0f}",
            str(row["requests"]),
            f"{1000 * first['p50']:.0f}, {1000 * first['p95']:.0f}",
            str(row["failed"]),
            str(row["wrong"]),
        )
    return shown


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="For each level.")
@click.option("--replicas", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
def main(seconds: float, replicas: int, out: Path | None) -> None:
    """Measure the server with 1, 8 and 32 clients on this machine."""
    expected = alone()
    with server("--model", MODEL, "--replicas", str(replicas)) as address:
        load(address, 8, min(seconds, 3), expected)  # warms up, not counted
        levels = [load(address, clients, seconds, expected) for clients in CLIENTS]
    result = machine() | {"model": MODEL, "replicas": replicas, "seconds": seconds}
    result["levels"] = levels
    Console().print(table(result))
    if out:
        keep(result, out / "serving.json")


if __name__ == "__main__":
    main()

"""Measures speculative decoding: ``python -m benchmarks.speculative``.

Two models write with two drafts and without a draft, in turns, at three temperatures.
The models are the embedded one and GPT-2 124M with random weights. Random weights take
the same time as others, but they say nothing about how often guesses are kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.decode import random_weights
from benchmarks.machine import keep, machine
from benchmarks.turns import spread
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from gpt2.checkpoint.second_model import first_layers
from gpt2.decoding.generation import Strategy, choose, generate
from gpt2.decoding.speculation import Speculation
from gpt2.engine.engines import Engine
from solutions.solution_01 import GPT2Config

TEMPERATURES = (0.0, 0.7, 1.0)
GUESSES, LAYERS, PROMPT = 4, 2, 32  # guesses a round; the draft's layers; tokens
PLAIN, TEXT, MODEL = "no draft", "ngram", f"layers:{LAYERS}"
CALLS = 24  # of each kind, for the time of a call


@dataclass(frozen=True)
class Subject:
    """A model with its drafts and the prompts that it continues.

    Attributes:
        name: as the tables show it.
        engine, draft: the model, and its first layers as a model.
        vocab_size: V.
        prompts: ids, one text for each run of a round.
    """

    name: str
    engine: Engine
    draft: Engine
    vocab_size: int
    prompts: list[list[int]]

    def write(self, way: str, text: int, temperature: float, count: int) -> int:
        """Writes ``count`` tokens in one way; returns how often the model ran."""
        strategy, rng = Strategy(temperature=temperature), np.random.default_rng(text)
        prompt = self.prompts[text % len(self.prompts)]
        limits: dict[str, Any] = {"max_new_tokens": count, "end_ids": ()}
        if way == PLAIN:
            quick = partial(choose, look=False)  # as ``gpt2`` chooses
            steps = generate(
                self.engine, prompt, strategy, rng, chooser=quick, **limits
            )
            return len(list(steps))
        draft = self.draft if way == MODEL else None
        speculation = Speculation(self.engine, draft, self.vocab_size, GUESSES)
        written = list(speculation.steps(prompt, strategy, rng, **limits))
        assert len(written) == count
        return speculation.calls


def embedded() -> Subject:
    """The embedded model, which continues beginnings of stories."""
    checkpoint = load_checkpoint("tiny-stories")
    stories = Path("checkpoints/tiny-stories/held-out.txt").read_text("utf-8")
    texts = [t.strip() for t in stories.split("<|endoftext|>") if t.strip()]
    prompts = [checkpoint.tokenizer.encode(text)[:PROMPT] for text in texts]
    return subject("tiny-stories", checkpoint, prompts)


def random_gpt2() -> Subject:
    """GPT-2 124M with random weights, which continues random tokens."""
    config = GPT2Config()
    anyones = load_checkpoint("tiny-stories").tokenizer  # nothing here reads text
    checkpoint = Checkpoint("gpt2", config, random_weights(config), anyones)
    ids = np.random.default_rng(1).integers(0, config.vocab_size, [8, PROMPT])
    return subject("GPT-2 124M, random weights", checkpoint, ids.tolist())


def subject(name: str, checkpoint: Checkpoint, prompts: list[list[int]]) -> Subject:
    """Opens a model and its first layers."""
    short = first_layers(checkpoint, LAYERS)
    engine, draft = (
        Engine(one.config, one.weights, on_compile=print) for one in (checkpoint, short)
    )
    return Subject(name, engine, draft, checkpoint.config.vocab_size, prompts)


def speeds(one: Subject, rounds: int, count: int) -> Iterator[dict]:
    """Yields the tokens per second of each way at each temperature."""
    for temperature in TEMPERATURES:
        rates: dict[str, list[float]] = {way: [] for way in (PLAIN, TEXT, MODEL)}
        calls: dict[str, list[float]] = {way: [] for way in rates}
        for turn in range(rounds + 1):
            for way in rates:
                start = perf_counter()
                ran = one.write(way, turn, temperature, count if turn else 8)
                if turn:  # the first round only warms up
                    rates[way].append(count / (perf_counter() - start))
                    calls[way].append(ran / count)
        for way, found in rates.items():
            yield {
                "model": one.name,
                "draft": way,
                "temperature": temperature,
                "tokens_per_second": spread(found),
                "faster": median(
                    a / b for a, b in zip(found, rates[PLAIN], strict=True)
                ),
                "calls_per_token": float(np.mean(calls[way])),
            }


def call_times(one: Subject) -> dict[str, float]:
    """The median milliseconds of a call, of the model and of the draft, in turns."""
    text = (one.prompts[0] * 8)[: 4 * PROMPT]
    ways: dict[str, Callable[[], object]] = {
        "1 token": lambda: call(one.engine, text, 1),
        f"{GUESSES + 1} tokens": lambda: call(one.engine, text, GUESSES + 1),
        "the draft, 1 token": lambda: call(one.draft, text, 1),
    }
    for engine in (one.engine, one.draft):
        engine.prefill(np.array([text]))
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(CALLS):
        for name, way in ways.items():
            start = perf_counter()
            way()
            times[name].append(1000 * (perf_counter() - start))
    return {name: median(found) for name, found in times.items()}


def call(engine: Engine, text: list[int], count: int) -> None:
    """Lets the model read the last tokens of the text that it holds once more."""
    engine.continue_from(len(text) - count, np.array([text[-count:]]), count)


def measure(subjects: list[Subject], rounds: int, count: int) -> dict:
    """All figures of one run."""
    return {
        "rounds": rounds,
        "guesses": GUESSES,
        "tokens": count,
        "speeds": [row for one in subjects for row in speeds(one, rounds, count)],
        "milliseconds": {one.name: call_times(one) for one in subjects},
    }


def tables(found: dict) -> Iterator[Table]:
    """Yields what was measured, as tables."""
    titles = "model", "draft", "temperature", "tokens/s", "times", "calls per token"
    table = Table(*titles)
    for row in found["speeds"]:
        rate = row["tokens_per_second"]
        shown = "{median:.1f} ({low:.1f}–{high:.1f})".format(**rate)
        numbers = f"{row['faster']:.2f}", f"{row['calls_per_token']:.2f}"
        names = row["model"], row["draft"], f"{row['temperature']:g}"
        table.add_row(*names, shown, *numbers)
    yield table
    for name, times in found["milliseconds"].items():
        table = Table(*times, title=f"ms per call, {name}")
        table.add_row(*(f"{value:.2f}" for value in times.values()))
        yield table


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--rounds", default=7, show_default=True, help="Turns for each way.")
@click.option("--tokens", default=96, show_default=True, help="New tokens of a text.")
@click.option("--small", is_flag=True, help="Only the embedded model.")
def main(out: Path | None, rounds: int, tokens: int, small: bool) -> None:
    """Compare writing with drafts and without."""
    opened = [embedded] if small else [embedded, random_gpt2]
    found = measure([make() for make in opened], rounds, tokens)
    Console().print(*tables(found))
    if out:
        keep(machine() | found, out / "speculative.json")


if __name__ == "__main__":
    main()

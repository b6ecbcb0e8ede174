"""Measures how far a text depends on its batch: ``python -m benchmarks.invariance``.

Every text is written alone and in the server's batch of eight. Logits are compared for
the same texts alone and in batches of two, four and eight. Texts in a batch differ in
length, as in the server.

Source of the word: He et al. 2025, "Defeating Nondeterminism in LLM Inference".
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from pathlib import Path
from statistics import median
from time import perf_counter

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import keep, machine
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from gpt2.decoding.generation import Strategy
from gpt2.engine.cache import Cache, gather
from gpt2.engine.engines import Engine
from gpt2.serving.batch import Batch
from gpt2.serving.text import Job, Text, texts
from solutions.encore_sampling import softmax

MODEL, OPENINGS = "tiny-stories", ("Once upon a time", "One day", "Tom had a", "The")
ROWS, BATCH = (2, 4, 8), 8
GREEDY, DRAWN = Strategy(temperature=0), Strategy()
NEW, PROMPT, STEPS = 80, 12, 40  # tokens of a text, of a greedy text's prompt; timed


class Watching:
    """An engine that keeps the smallest lead of a best logit.

    Attributes:
        lead: the best logit minus the second, the smallest of all tokens.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self.empty_cache = engine, engine.empty_cache
        self.lead = np.inf

    def extend(self, cache: Cache, ids: np.ndarray) -> np.ndarray:
        """Does what the engine does."""
        logits = self._engine.extend(cache, ids)
        second, best = np.sort(logits, axis=-1)[:, -2:].T
        self.lead = min(self.lead, float((best - second).min()))
        return logits


def jobs(prompts: Sequence[list[int]], strategy: Strategy) -> list[Job]:
    """A job for each prompt; the lengths differ, so that texts join and leave."""
    return [
        Job([ids], strategy, seed, max_tokens=NEW - seed % 5)
        for seed, ids in enumerate(prompts)
    ]


def write(engine, checkpoint: Checkpoint, wanted: list[Job], size: int) -> list[Text]:
    """Writes the jobs' texts in the server's batch of this size; returns the texts."""

    def fail(_: Text, error: Exception) -> None:
        raise error

    waiting = [text for job in wanted for text in texts(job, checkpoint.tokenizer)]
    every, batch = list(waiting), Batch(engine, lambda *_: None, fail)
    while waiting or batch.texts:
        room = size - sum(not text.finished for text in batch.texts)
        batch.change(lambda _: True, waiting[:room])
        waiting = waiting[room:]
        if batch.texts:
            batch.step()
    return every


def compare(engine, checkpoint: Checkpoint, wanted: list[Job]) -> dict:
    """Writes texts alone and in the batch; says how many differ, and where first."""
    watching = Watching(engine)
    alone = [text.ids for text in write(watching, checkpoint, wanted, 1)]
    together = [text.ids for text in write(engine, checkpoint, wanted, BATCH)]
    pairs = zip(alone, together, wanted, strict=True)
    return {
        "texts": len(alone),
        "tokens": sum(len(a) - len(job.prompts[0]) for a, _, job in pairs),
        "first_differences": [
            next(i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
            for a, b in zip(alone, together, strict=True)
            if a != b
        ],
        "smallest_lead": watching.lead,
    }


def contexts(engine: Engine, written: list[list[int]]) -> list[tuple[Cache, int]]:
    """The caches of texts of many lengths, and each one's next token."""
    found = []
    for number, ids in enumerate(written):
        end = 2 + (7 * number) % (len(ids) - 2)
        cache = engine.empty_cache(1)
        engine.extend(cache, np.array([ids[: end - 1]]))
        found.append((cache, ids[end - 1]))
    return found


def logits(engine: Engine, group: Sequence[tuple[Cache, int]]) -> np.ndarray:
    """The next logits ``[B, V]`` of B contexts in one batch."""
    cache = gather([(one, [0]) for one, _ in group])
    return engine.extend(cache, np.array([[token] for _, token in group]))


def by_rows(engine: Engine, found: list[tuple[Cache, int]]) -> dict[int, np.ndarray]:
    """The logits ``[contexts, V]`` in batches of each size."""
    return {
        rows: np.concatenate([logits(engine, group) for group in batched(found, rows)])
        for rows in (1, *ROWS)
    }


def differences(found: dict[int, np.ndarray]) -> Iterator[dict]:
    """Yields, for each batch size, how far logits and drawn tokens move."""
    alone = found[1]
    for rows in ROWS:
        apart = drawn_apart(shares(alone), shares(found[rows]))
        yield {
            "rows": rows,
            "largest_difference": float(np.abs(found[rows] - alone).max()),
            "drawn_apart": float(apart.mean()),
        }


def drawn_apart(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The chance that one random number draws different ids from ``[B, V]`` each: [B].

    ``Generator.choice`` lays the probabilities side by side, by id, and takes the one
    in which the number falls. Every border that a difference has shifted counts. So the
    chance is far larger than half the sum of the differences.
    """
    ends, others = np.cumsum(p, axis=-1), np.cumsum(q, axis=-1)
    common = np.minimum(ends, others) - np.maximum(ends - p, others - q)
    return 1 - np.maximum(common, 0).sum(axis=-1)


def among_batches(found: dict[int, np.ndarray]) -> float:
    """How far logits move with the neighbours, if there always are some."""
    return float(np.ptp(np.stack([found[rows] for rows in ROWS]), axis=0).max())


def shares(x: np.ndarray) -> np.ndarray:
    """The probabilities ``[B, V]`` of logits ``[B, V]``."""
    return np.stack([softmax(row.astype(np.float64)) for row in x])


def costs(engine: Engine, ids: list[int]) -> dict[str, float]:
    """The median milliseconds of a step of one text: alone, and with a second row."""
    ways: dict[str, Callable[[], Cache]] = {
        "one row": lambda: filled(engine, ids, 1),
        "two rows": lambda: filled(engine, ids, 2),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(5):
        for name, make in ways.items():
            cache = make()
            last = np.full([len(cache.lengths), 1], ids[-1])
            for _ in range(STEPS):
                start = perf_counter()
                engine.extend(cache, last)
                times[name].append(1000 * (perf_counter() - start))
    return {name: median(own) for name, own in times.items()}


def filled(engine: Engine, ids: list[int], rows: int) -> Cache:
    """A cache with the same text in every row."""
    cache = engine.empty_cache(1)
    engine.extend(cache, np.array([ids]))
    return gather([(cache, [0] * rows)])


def measure(checkpoint: Checkpoint, number: int) -> dict:
    """All measurements, with this number of drawn and of greedy texts."""
    engine = Engine(checkpoint.config, checkpoint.weights, on_compile=print)
    openings = [checkpoint.tokenizer.encode(text) for text in OPENINGS]
    prompts = [openings[n % len(openings)] for n in range(number)]
    drawn = write(engine, checkpoint, jobs(prompts, DRAWN), BATCH)
    written = [text.ids for text in drawn]
    found = by_rows(engine, contexts(engine, written[: 8 * BATCH]))
    return {
        "batch": BATCH,
        "drawn": compare(engine, checkpoint, jobs(prompts, DRAWN)),
        "greedy": compare(
            engine, checkpoint, jobs([ids[:PROMPT] for ids in written], GREEDY)
        ),
        "logits": [*differences(found)],
        "among_batches": among_batches(found),
        "milliseconds": costs(engine, written[0][:PROMPT]),
    }


def tables(found: dict) -> Iterator[Table | str]:
    """Yields what was measured, as tables and a line."""
    shown = Table("texts", "number", "tokens", "different", "smallest lead")
    for name in ("drawn", "greedy"):
        row = found[name]
        counts = (row["texts"], row["tokens"], len(row["first_differences"]))
        shown.add_row(name, *map(str, counts), f"{row['smallest_lead']:.1e}")
    yield shown
    shown = Table("rows", "largest difference of logits", "drawn apart")
    for row in found["logits"]:
        numbers = (f"{row[k]:.1e}" for k in ("largest_difference", "drawn_apart"))
        shown.add_row(str(row["rows"]), *numbers)
    yield shown
    yield f"among batches: {found['among_batches']:g}"
    shown = Table(*found["milliseconds"], title="ms per step")
    shown.add_row(*(f"{x:.2f}" for x in found["milliseconds"].values()))
    yield shown


@click.command()
@click.option("--texts", "number", default=200, show_default=True, help="Of each kind.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
def main(number: int, out: Path | None) -> None:
    """Compare texts written alone with texts written in a batch."""
    found = measure(load_checkpoint(MODEL), number)
    Console().print(*tables(found), sep="\n")
    if out:
        keep(machine() | {"model": MODEL} | found, out / "invariance.json")


if __name__ == "__main__":
    main()

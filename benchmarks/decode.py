"""Measures generation beside other programs: ``python -m benchmarks.decode``.

All programs have the same random GPT-2 124M, the same prompts and the same number of
threads, and continue greedily. In each round each program runs once while the others
are stopped. The first round only warms up. The prompt's time is not in the rates.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import click
import numpy as np
import psutil
from max.experimental import functional as F
from rich.console import Console

from benchmarks.bandwidth import Memory
from benchmarks.machine import keep, machine
from benchmarks.peers import ENVIRONMENTS, PROGRAMS, Failed, Peer, save
from benchmarks.report import plot, tables
from solutions.solution_01 import GPT2Config
from solutions.solution_13 import MaxGPT2LMHeadModel

PROMPT, NEW, NEW_SLOW, ALONE, PREFILL, FAR = 64, 64, 4, 16, 512, 900
QUIET = 0.3  # processes that want to run; more disturb a measurement


@dataclass(frozen=True)
class Case:
    """What every program does once in a round.

    Attributes:
        kind: the part of the result: decoding, prefill or positions.
        batch: how many texts.
        prompt: the tokens of each.
        new: the tokens to add to each.
        rounds: how often it is measured.
    """

    kind: str
    batch: int
    prompt: int
    new: int
    rounds: int

    def prompts(self, vocab_size: int) -> np.ndarray:
        """Random ids ``[batch, prompt]``; each text begins elsewhere."""
        text = np.random.default_rng(1).integers(0, vocab_size, 1000)
        rows = [np.roll(text, row)[: self.prompt] for row in range(self.batch)]
        return np.stack(rows)

    def describe(self) -> str:
        texts = "1 text" if self.batch == 1 else f"{self.batch} texts"
        return f"{texts} of {self.prompt} tokens, {self.new} more"


def cases(rounds: int, quick: bool) -> list[Case]:
    """The cases for programs with a cache."""
    if quick:
        return [
            Case("decoding", 1, PROMPT, ALONE + 1, 1),
            Case("decoding", 8, PROMPT, 9, 1),
            Case("prefill", 1, PREFILL, 1, 1),
        ]
    return [
        Case("decoding", 1, PROMPT, NEW + 1, rounds),
        Case("decoding", 8, PROMPT, NEW // 2 + 1, rounds),
        Case("decoding", 32, PROMPT, NEW // 4 + 1, (rounds + 1) // 2),
        Case("prefill", 1, PREFILL, 1, rounds),
        Case("positions", 1, PROMPT, ALONE + 1, rounds),
        Case("positions", 1, FAR, ALONE + 1, rounds),
    ]


def random_weights(config: GPT2Config, layers: float = 1) -> dict[str, np.ndarray]:
    """GPT-2's initial weights: normal with deviation 0.02, norms with 1 and 0.

    Args:
        config: the model's sizes.
        layers: a factor for the layers' matrices. Initial weights repeat one token for
            ever; with 3, texts vary.
    """
    with F.lazy():
        parameters = dict(MaxGPT2LMHeadModel(config).parameters)
    rng = np.random.default_rng(0)
    weights = {}
    for name, parameter in parameters.items():
        shape = [int(size) for size in parameter.shape]
        weights[name] = rng.standard_normal(shape, dtype=np.float32) * 0.02
        if "ln_" in name and name.endswith("weight"):
            weights[name] += 1
        elif ".h." in name and len(shape) == 2:
            weights[name] *= layers
    return weights


class Run:
    """One run of the benchmark: opens the peers, and lets them take turns.

    Args:
        folder: the weights.
        pythons: a Python for each environment.
        threads: for each peer.
        console: for notes.

    Attributes:
        peers: that started.
        left_out: what was not measured, and why.
        bandwidths: of the memory, in bytes per second, one for each round.
    """

    def __init__(
        self, folder: str, pythons: dict[str, str], threads: int, console: Console
    ) -> None:
        self.peers: list[Peer] = []
        self.left_out: list[dict[str, str]] = []
        self.bandwidths: list[float] = []
        self._start = perf_counter()
        self._folder, self._pythons, self._threads = folder, pythons, threads
        self._console, self._memory = console, Memory()

    def note(self, text: str) -> None:
        """Prints a sentence with the seconds so far."""
        self._console.print(f"{perf_counter() - self._start:4.0f} s  {text}")

    def leave_out(self, name: str, where: str, reason: str) -> None:
        self.left_out.append({"name": name, "where": where, "reason": reason})
        self.note(f"{name}, {where}, is left out: {reason}")

    def open(self, quick: bool) -> None:
        """Starts all programs that have an environment."""
        for program in PROGRAMS:
            environment = program.environment
            if quick and not program.quick:
                self.leave_out(program.name, "all", "it is not quick")
            elif environment and environment not in self._pythons:
                reason = f"no --peer {environment}=PYTHON was given"
                self.leave_out(program.name, "all", reason)
            else:
                python = self._pythons.get(environment, sys.executable)
                for precision in program.precisions:
                    self._open(program, precision, python)

    def _open(self, program, precision: str, python: str) -> None:
        self.note(f"{program.name}, {precision}, starts")
        try:
            peer = Peer(
                program, precision, python, self._folder, self._threads, self.note
            )
        except Failed as error:
            self.leave_out(program.name, precision, str(error))
        else:
            self.peers.append(peer)

    def close(self) -> None:
        """Ends all programs."""
        for peer in self.peers:
            peer.end()

    def measure(self, case: Case, prompts: np.ndarray, peers: Iterable[Peer]) -> list:
        """Lets the peers take turns, in another order each time.

        Returns:
            the rows of the result, one for each peer that did it.
        """
        runs: dict[Peer, list[dict]] = {peer: [] for peer in peers if peer.alive}
        self.note(f"{case.describe()}: {len(runs)} programs, {case.rounds} rounds")
        for turn in range(case.rounds + 1):
            order = list(runs)
            first = turn % max(1, len(order))
            for peer in order[first:] + order[:first]:
                count = case.new if turn else min(case.new, 3)
                try:
                    run = peer.decode(prompts, count)
                except Failed as error:
                    del runs[peer]
                    where = f"{peer.precision}, {case.describe()}"
                    self.leave_out(peer.program.name, where, str(error))
                else:
                    runs[peer] += [run] if turn else []
            self.bandwidths += [self._memory.read()] if turn else []
        return rows(case, runs)


def rows(case: Case, runs: dict[Peer, list[dict]]) -> list[dict]:
    """The figures of each peer in one case; ids are compared with the first peer's."""
    found = []
    for peer, done in runs.items():
        row: dict = {"name": peer.program.name, "precision": peer.precision}
        times = [run["seconds"] for run in done]
        if case.kind == "prefill":
            row["seconds"] = spread([seconds[0] for seconds in times])
        elif case.kind == "positions":
            row["position"] = case.prompt
            milliseconds = [1000 * median(seconds[1:]) for seconds in times]
            row["milliseconds"] = spread(milliseconds)
        else:
            row["batch"] = case.batch
            row["tokens_per_second"] = spread([rate(s, case.batch) for s in times])
            first = next(iter(runs.values()))[0]["ids"]
            row["same_ids"] = min(equal(first, run["ids"]) for run in done)
            row["ids"] = case.batch * len(times[0])
        found.append(row)
    return found


def equal(some: list[list[int]], others: list[list[int]]) -> int:
    """How many ids of all texts are the same before the first other one."""
    a, b = np.array(some), np.array(others)
    return int((a == b).cumprod(axis=1).sum())


def rate(seconds: list[float], batch: int) -> float:
    """The tokens per second without the first token, whose time is the prompt's."""
    return batch * (len(seconds) - 1) / sum(seconds[1:])


def spread(values: list[float]) -> dict[str, float]:
    return {"median": median(values), "low": min(values), "high": max(values)}


def measure(run: Run, rounds: int, quick: bool, vocab_size: int) -> dict:
    """All figures of one run."""
    cached = [peer for peer in run.peers if peer.program.cached]
    slow = [peer for peer in run.peers if not peer.program.cached]
    result: dict[str, list] = {"decoding": [], "prefill": [], "positions": []}
    for case in cases(rounds, quick):
        able = [p for p in cached if p.program.prompts or case.kind != "prefill"]
        prompts = case.prompts(vocab_size)
        result[case.kind] += run.measure(case, prompts, able)
    if slow:
        case = Case("decoding", 1, PROMPT, NEW_SLOW, rounds)
        result["decoding"] += run.measure(case, case.prompts(vocab_size), slow)
    return result


def pythons(context: click.Context, option: click.Parameter, values) -> dict[str, str]:
    """Turns ``NAME=PYTHON`` into a dictionary.

    Raises:
        click.BadParameter: there is no such name, or no such program.
    """
    found = {}
    for value in values:
        name, _, path = value.partition("=")
        if name not in ENVIRONMENTS:
            names = ", ".join(ENVIRONMENTS)
            raise click.BadParameter(f"{name!r} is not one of {names}.")
        if not (program := shutil.which(path)):
            raise click.BadParameter(f"{path!r} is not a Python that can be started.")
        found[name] = os.path.abspath(program)
    return found


def cores() -> int:
    """The physical cores: a second thread on a core rarely helps any program here."""
    return psutil.cpu_count(logical=False) or os.cpu_count() or 1


@click.command()
@click.option(
    "--peer",
    "python_of",
    multiple=True,
    callback=pythons,
    metavar="NAME=PYTHON",
    help=f"The Python with a peer's libraries: {', '.join(ENVIRONMENTS)}.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
@click.option(
    "--rounds", type=click.IntRange(1), default=5, help="Turns for each program."
)
@click.option(
    "--threads", type=click.IntRange(1), default=cores(), help="For each peer."
)
@click.option("--quick", is_flag=True, help="One round of fewer cases.")
def main(
    python_of: dict[str, str], out: Path | None, rounds: int, threads: int, quick: bool
) -> None:
    """Compare programs on GPT-2 124M's shapes with random weights."""
    console, config = Console(), GPT2Config()
    load = os.getloadavg()[0]
    if load > QUIET:
        console.print(f"Other programs run too (load {load:.1f}) and disturb.")
    weights = random_weights(config, layers=3)  # the ids shall say something
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        save(config, weights, folder)
        run = Run(folder, python_of, threads, console)
        stack.callback(run.close)
        run.open(quick)
        figures = measure(run, rounds, quick, config.vocab_size)
    result = machine() | {
        "threads": threads,
        "load": load,
        "rounds": 1 if quick else rounds,
        "new": ALONE if quick else NEW,
        "weights": sum(w.size for name, w in weights.items() if "wpe" not in name),
        "read_bytes_per_second": spread(run.bandwidths),
        "versions": {peer.program.name: peer.versions for peer in run.peers},
        **figures,
        "left_out": run.left_out,
    }
    console.print(*tables(result), sep="\n")
    if out:
        keep(result, out / "decode.json")
        plot(result, out)


if __name__ == "__main__":
    main()

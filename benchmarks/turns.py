"""Lets programs take turns in one case after the other, and makes rows of figures."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np
from rich.console import Console

from benchmarks.bandwidth import Memory
from benchmarks.peers import PROGRAMS, Failed, Peer, Program


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

    def _open(self, program: Program, precision: str, python: str) -> None:
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

    def measure(self, case: Case, vocab_size: int, peers: Iterable[Peer]) -> list:
        """Lets the peers take turns, in another order each time.

        Returns:
            the rows of the result, one for each peer that did it.
        """
        prompts = case.prompts(vocab_size)
        runs: dict[Peer, list[dict]] = {peer: [] for peer in peers if peer.alive}
        self.note(f"{case.describe()}: {len(runs)} programs, {case.rounds} rounds")
        for turn in range(case.rounds + 1):
            order = list(runs)
            first = turn % max(1, len(order))
            for peer in order[first:] + order[:first]:
                count = case.new if turn else min(case.new, 3)
                try:
                    run = peer.decode(prompts, count, case.prompt + case.new)
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
        row["rounds"] = len(done)
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

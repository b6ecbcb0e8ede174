"""Measures generation beside other programs: ``python -m benchmarks.decode``.

All programs have the same random GPT-2 124M, the same prompts and the same number of
threads, and continue greedily. In each round each program runs once while the others
are stopped. The first round only warms up. The prompt's time is not in the rates.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click
import numpy as np
import psutil
from max.experimental import functional as F
from rich.console import Console

from benchmarks.machine import keep, machine
from benchmarks.peers import ENVIRONMENTS, save
from benchmarks.report import plot, tables
from benchmarks.turns import Case, Run, spread
from runtime.ctrl_c import stoppable
from solutions.solution_01 import GPT2Config
from solutions.solution_13 import MaxGPT2LMHeadModel

PROMPT, NEW, NEW_SLOW, ALONE, PREFILL, FAR = 64, 64, 4, 16, 512, 900
ENDS = signal.SIGINT, signal.SIGTERM
QUIET = 0.3  # processes that want to run; more disturb a measurement


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


def measure(run: Run, rounds: int, quick: bool) -> dict:
    """All figures of one run."""
    vocab_size = GPT2Config().vocab_size
    cached = [peer for peer in run.peers if peer.program.cached]
    slow = [peer for peer in run.peers if not peer.program.cached]
    result: dict[str, list] = {"decoding": [], "prefill": [], "positions": []}
    for case in cases(rounds, quick):
        able = [p for p in cached if p.program.prompts or case.kind != "prefill"]
        result[case.kind] += run.measure(case, vocab_size, able)
    if slow:
        case = Case("decoding", 1, PROMPT, NEW_SLOW, rounds)
        result["decoding"] += run.measure(case, vocab_size, slow)
    return result | {
        "read_bytes_per_second": spread(run.bandwidths),
        "versions": {peer.program.name: peer.versions for peer in run.peers},
    }


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
    console, load = Console(), os.getloadavg()[0]
    if load > QUIET:
        console.print(f"Other programs run too (load {load:.1f}) and disturb.")
    settings = {"threads": threads, "load": load, "new": ALONE if quick else NEW}
    with temporary_folder() as folder:
        size = save_model(folder)
        with closing(Run(folder, python_of, threads, console)) as run:
            run.open(quick)
            figures = measure(run, rounds, quick)
    result = machine() | settings | {"rounds": 1 if quick else rounds} | figures
    result |= {"weights": size, "left_out": run.left_out}
    console.print(*tables(result), sep="\n")
    if out:
        keep(result, out / "decode.json")
        plot(result, out)


@contextmanager
def temporary_folder() -> Iterator[str]:
    """A folder that is deleted afterwards, after Ctrl-C too."""
    try:
        with tempfile.TemporaryDirectory() as folder, stoppable(*ENDS):
            yield folder
    except KeyboardInterrupt as stop:
        raise SystemExit(128 + stop.args[0]) from None


def save_model(folder: str) -> int:
    """Writes a random GPT-2 124M; returns how many weights a token reads."""
    config = GPT2Config()
    weights = random_weights(config, layers=3)  # the ids shall say something
    save(config, weights, folder)
    return sum(array.size for name, array in weights.items() if "wpe" not in name)


if __name__ == "__main__":
    main()

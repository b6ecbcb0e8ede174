"""The peers: programs that continue texts greedily, each in a process of its own.

A process is stopped (SIGSTOP) while others run, so that no thread of it that still
spins takes time from them. It ends when this process ends, however it ends.
"""

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from gpt2.engine.precision import PRECISIONS
from runtime.children import ChildGroup
from solutions.solution_01 import GPT2Config

ROOT = Path(__file__).parents[1]
OURS = "ours"
PATIENCE = 900.0  # seconds for one answer; torch compiles in the first of a case


@dataclass(frozen=True)
class Program:
    """A program to compare.

    Attributes:
        name: as the tables show it.
        module: in ``benchmarks.programs``.
        environment: what its Python is called in ``--peer``; empty: this Python.
        precisions: of its weights.
        arguments: more for the module.
        cached: it has a key-value cache. Others are slow and get few tokens.
        quick: it is ready in seconds.
        prompts: its prefill is worth a row.
    """

    name: str
    module: str
    environment: str = ""
    precisions: tuple[str, ...] = PRECISIONS
    arguments: tuple[str, ...] = ()
    cached: bool = True
    quick: bool = True
    prompts: bool = True


PROGRAMS = (
    Program(OURS, "ours"),
    Program("llama.cpp", "llama_cpp", "llama.cpp"),
    Program("CTranslate2", "ctranslate2", "CTranslate2"),
    Program("transformers, eager", "transformers", "transformers", ("float32",)),
    Program(
        "transformers, torch.compile, static cache",
        "transformers",
        "transformers",
        ("float32",),
        ("compiled",),
        quick=False,
        prompts=False,
    ),
    Program(
        "ours, no cache",
        "ours_no_cache",
        precisions=("float32",),
        cached=False,
        quick=False,
    ),
    Program(
        "NumPy, no cache",
        "numpy_no_cache",
        precisions=("float32",),
        cached=False,
        quick=False,
    ),
)
ENVIRONMENTS = tuple(dict.fromkeys(p.environment for p in PROGRAMS if p.environment))


class Failed(Exception):
    """A peer gave no answer; the message is its own last line."""


class Peer:
    """A program with weights of one precision.

    Args:
        program: what runs.
        precision: of the weights.
        python: the Python that has what the program needs.
        folder: the weights, see ``save``.
        threads: how many threads it may take, where it can be told.
        on_note: gets what the program says while it starts.

    Attributes:
        alive: it can be asked.
        versions: of its libraries.

    Raises:
        Failed: it did not start.
    """

    def __init__(
        self,
        program: Program,
        precision: str,
        python: str,
        folder: str,
        threads: int,
        on_note: Callable[[str], None] = print,
    ) -> None:
        self.program, self.precision, self._note = program, precision, on_note
        self.alive = True
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._group = ChildGroup()
        module = f"benchmarks.programs.{program.module}"
        self._process = subprocess.Popen(
            [python, "-m", module, folder, precision, str(threads), *program.arguments],
            cwd=ROOT,
            env=dict(os.environ),  # without the variables that MAX's C++ has added
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            process_group=self._group.number,
            text=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._requests, self._answers = self._process.stdin, self._process.stdout
        self.versions = self._answer()["versions"]

    def decode(self, prompt: np.ndarray, count: int, room: int) -> dict:
        """Continues ids ``[B, T]`` greedily.

        Args:
            prompt: the ids; each text has the same number of tokens.
            count: how many tokens to add.
            room: how many tokens a text may need. A program prepares a cache or a graph
                for each size, so that all runs of a case have the same.

        Returns:
            lists: ``ids`` ``[B, count]`` and ``seconds`` ``[count]``.

        Raises:
            Failed: it ended, or it cannot do this.
        """
        self._process.send_signal(signal.SIGCONT)
        request = {"prompt": prompt.tolist(), "count": count, "room": room}
        with suppress(BrokenPipeError):  # then there is no answer either
            self._requests.write(json.dumps(request) + "\n")
            self._requests.flush()
        return self._answer()

    def end(self) -> None:
        """Ends the process; a second call has no effect."""
        if self.alive:
            self.alive = False
            self._group.kill()
            self._process.communicate()
            self._errors.close()

    def _answer(self) -> dict:
        """Reads up to the answer, then stops the process."""
        limit = threading.Timer(PATIENCE, self._process.kill)
        limit.start()
        try:
            while "note" in (found := json.loads(self._answers.readline() or "{}")):
                self._note(found["note"])
        finally:
            limit.cancel()
        if not found:
            raise Failed(self._last_line())
        self._process.send_signal(signal.SIGSTOP)
        if "error" in found:
            raise Failed(found["error"])
        return found

    def _last_line(self) -> str:
        """What an ending process printed last, or how it ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        self.end()
        if self._process.returncode == -signal.SIGKILL:
            lines = [f"it was killed: no memory, or no answer in {PATIENCE:.0f} s"]
        return [f"it ended with code {self._process.returncode}", *lines][-1]


def save(config: GPT2Config, weights: Mapping[str, np.ndarray], folder: str) -> None:
    """Writes the model's files for all programs."""
    Path(folder, "config.json").write_text(json.dumps(asdict(config)), encoding="utf-8")
    for name, array in weights.items():
        np.save(Path(folder, f"{name}.npy"), array)

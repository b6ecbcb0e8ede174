"""Compiles the MAX kernels that the course needs, once on each machine."""

import json
import os
import platform
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from course.grading import Grading, Outcome, Target, load_checks
from course.messages import Compiling
from course.process import WorkerProcess
from course.registry import ROOT, Exercise, load_registry

MODEL_RUN = ["-m", "gpt2", "Once upon a time", "--max-new-tokens", "1"]


def marker_path() -> Path:
    """Where a finished warm-up is noted: beside the kernels it vouches for."""
    for name in ("MODULAR_CACHE_DIR", "MODULAR_MAX_CACHE_DIR"):
        if folder := os.environ.get(name):
            return Path(folder, "gpt2-on-max.json")
    return Path.home() / ".cache" / "modular" / "gpt2-on-max.json"


def signature() -> dict[str, str]:
    """What compiled kernels belong to."""
    return {"max": version("max"), "machine": platform.machine()}


def cache_state() -> Literal["warm", "cold"]:
    """Whether a warm-up was finished for this MAX on this machine."""
    try:
        return (
            "warm" if json.loads(marker_path().read_text()) == signature() else "cold"
        )
    except (OSError, ValueError):
        return "cold"


def count_checks() -> int:
    """How many checks a warm-up runs."""
    return sum(len(load_checks(exercise)) for exercise in load_registry())


def warm_kernels(
    on_check: Callable[[Outcome], None], on_compile: Callable[[Compiling], None]
) -> list[Outcome]:
    """Runs every solution through its checks, on every core; returns what failed.

    MAX compiles each kernel at its first use and keeps it on disk.
    """
    waiting: queue.SimpleQueue[Exercise] = queue.SimpleQueue()
    # The largest first: they need the most kernels.
    for exercise in sorted(load_registry(), key=lambda e: -e.number):
        waiting.put(exercise)
    failed: list[Outcome] = []

    def work() -> None:
        while not waiting.empty():
            for outcome in grade_solution(waiting.get(), on_compile):
                on_check(outcome)
                if outcome.state != "passed":
                    failed.append(outcome)

    threads = [threading.Thread(target=work) for _ in range(os.cpu_count() or 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def grade_solution(
    exercise: Exercise, on_compile: Callable[[Compiling], None]
) -> list[Outcome]:
    """Grades one solution in a worker of its own."""
    worker = WorkerProcess(on_compile)
    try:
        return list(Grading(exercise, Target(solutions=True), worker).run_all())
    finally:
        worker.close()


def warm_model() -> subprocess.CompletedProcess[str]:
    """Compiles the embedded model by letting it write one token."""
    command = [sys.executable, *MODEL_RUN]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def note_warm() -> None:
    """Writes down that the kernels are there."""
    path = marker_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(signature()))


def warm_everything() -> int:
    """Lets MAX compile every kernel it has: 12 minutes on two cores; its exit code."""
    command = [str(Path(sys.executable).with_name("max")), "warm-interpreter-cache"]
    return subprocess.run(command).returncode

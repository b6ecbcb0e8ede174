"""Measures how long a check takes: ``python -m benchmarks.grading``.

It measures each step's check alone, all fourteen in one process, the checks of wrong
files, and the time from a save to the result in watch mode. --cold adds the first run
on a new machine. Times are wall time.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from course.catalogue import load_mistakes
from course.registry import ROOT, Exercise, as_step, load_registry
from runtime.children import child_group, run_child

WRONG = 3  # wrong files that are timed, of each exercise


def seconds(command: list[str], *, succeeds: bool = True, **environment: str) -> float:
    """Runs a command that must succeed, unless told; returns the wall time."""
    started = time.perf_counter()
    env = os.environ | environment
    run_child(command, cwd=ROOT, env=env, check=succeeds, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def failing_seconds(exercise: Exercise) -> list[float]:
    """Times the check of a few wrong files of one exercise, diagnosis included."""
    known = load_mistakes(exercise)
    chosen = known[:: max(1, len(known) // WRONG)][:WRONG]
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for mistake in chosen:
            wrong = as_step(mistake.source)
            Path(folder, exercise.step_path.name).write_text(wrong, encoding="utf-8")
            command = [sys.executable, "-m", "pytest", str(exercise.checker_path)]
            command += ["--steps-dir", folder]
            times.append(seconds(command, succeeds=False))
    return times


def check_command(*exercises: Exercise) -> list[str]:
    """The command that grades the solutions of some exercises."""
    files = [str(exercise.checker_path) for exercise in exercises]
    return [sys.executable, "-m", "pytest", *files, "--solutions"]


def watch_latencies(rounds: int) -> list[float]:
    """Saves each solved step in a watched folder; returns each result's seconds."""
    with tempfile.TemporaryDirectory() as folder:
        steps = Path(folder, "steps")
        steps.mkdir()
        for exercise in filter(lambda e: e.is_step, load_registry()):
            (steps / exercise.step_path.name).write_text(
                exercise.solved, encoding="utf-8"
            )
        command = [sys.executable, "-u", "-m", "course", "watch"]
        with (
            child_group() as number,
            subprocess.Popen(
                [*command, "--steps-dir", str(steps)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
                process_group=number,
            ) as watcher,
        ):
            try:
                wait_for(watcher, "Watching")
                paths = sorted(steps.glob("step_*.py"))
                for path in paths:  # so each later save changes one step alone
                    save_and_wait(watcher, path)
                return [save_and_wait(watcher, path) for path in paths * rounds]
            finally:
                watcher.terminate()


def save_and_wait(watcher: subprocess.Popen[str], path: Path) -> float:
    """Appends a line to a file; returns the seconds until the check's result."""
    time.sleep(1.5)  # no one saves faster; a spare worker loads MAX
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}# saved again\n", encoding="utf-8")
    started = time.perf_counter()
    wait_for(watcher, "Passed in")
    return time.perf_counter() - started


def wait_for(watcher: subprocess.Popen[str], text: str) -> None:
    """Reads the watcher's output up to a line that contains ``text``."""
    for line in watcher.stdout or ():
        if text in line:
            return
    raise RuntimeError(f"watch ended before it printed {text!r}")


def cold_seconds() -> float:
    """Times ``course setup`` with an empty kernel cache."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "course", "setup"]
        return seconds(command, MODULAR_CACHE_DIR=cache, MODULAR_MAX_CACHE_DIR=cache)


@click.command()
@click.option("--rounds", default=3, show_default=True, help="How often to measure.")
@click.option("--cold", is_flag=True, help="Measure a new machine's set-up as well.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write JSON."
)
def main(rounds: int, cold: bool, json_path: Path | None) -> None:
    """Measure how long a learner waits for a check's result."""
    console, exercises = Console(), [e for e in load_registry() if e.is_step]
    alone: dict[str, list[float]] = {exercise.key: [] for exercise in exercises}
    for _ in range(rounds):  # interleaved: a busy minute slows every step
        for exercise in exercises:
            alone[exercise.key].append(seconds(check_command(exercise)))
    medians = {key: statistics.median(times) for key, times in alone.items()}
    failing = {e.key: failing_seconds(e) for e in load_registry()}
    slowest = {key: max(times) for key, times in failing.items()}
    figures: dict[str, Any] = {
        **machine(),
        "check_seconds": medians,
        "check_median": statistics.median(medians.values()),
        "check_worst": max(max(times) for times in alone.values()),
        "failing_seconds": slowest,
        "failing_median": statistics.median(t for ts in failing.values() for t in ts),
        "failing_worst": max(slowest.values()),
        "all_in_one_process": seconds(check_command(*exercises)),
        "watch_median": statistics.median(watch_latencies(rounds)),
    }
    if cold:
        figures["cold_setup"] = cold_seconds()
    table = Table("what", "seconds", box=None)
    for key, value in medians.items():
        spread = f"{min(alone[key]):.1f} to {max(alone[key]):.1f}"
        table.add_row(f"check {key}", f"{value:.2f}  ({spread})")
    for key, value in slowest.items():
        table.add_row(f"wrong file of {key}", f"{value:.2f}  (the slowest of {WRONG})")
    for name, figure in figures.items():
        if isinstance(figure, float):
            table.add_row(name.replace("_", " "), f"{figure:.2f}")
    console.print(table)
    console.print(f"{figures['cpu']}, {figures['cores']} cores, {figures['system']}")
    if json_path:
        json_path.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()

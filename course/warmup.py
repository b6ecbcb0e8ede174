"""Compiles what the course needs, once on each machine."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from course.grading import Grading, Target
from course.process import WorkerProcess
from course.registry import ROOT, find_exercise
from runtime.child_python import python_command
from runtime.children import reason, run_child
from runtime.kernel_batches import BATCHES, compile_batch


def compile_model() -> None:
    """Compiles the embedded model by letting it write one token."""
    code = "from gpt2.__main__ import main; main()"
    command = python_command(code, "Once upon a time", "--max-new-tokens", "1")
    run_child(command, cwd=ROOT, check=True, capture_output=True)


def build_kernels() -> None:
    """Builds the encore's kernels, so that its first check need not wait for them."""
    code = (
        "from course.mojo_module import known_versions; "
        "from course.registry import find_exercise; "
        "known_versions(find_exercise('kernel'))"
    )
    run_child(python_command(code), cwd=ROOT, check=True, capture_output=True)


# The job that takes longest comes first.
JOBS: dict[str, Callable[[], None]] = {
    "the embedded model": compile_model,
    **{f"the {name} kernels": partial(compile_batch, name) for name in BATCHES},
    "the encore's kernels": build_kernels,
}


def compile_all(console: Console) -> list[str]:
    """Runs all jobs, one on each core; returns what fails and why."""
    columns = [TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
    pool, failed = ThreadPoolExecutor(os.cpu_count()), []
    with Progress(*columns, console=console) as progress:

        def run(name: str) -> None:
            # MAX does not tell how far it is, so the bar only pulses until the end.
            task = progress.add_task(f"compiling {name}", total=None)
            JOBS[name]()
            progress.update(task, total=1, completed=1)

        try:
            for name, future in {name: pool.submit(run, name) for name in JOBS}.items():
                if error := future.exception():
                    failed.append(f"{name} ({reason(error)})")
        finally:  # after Ctrl-C no job begins
            pool.shutdown(wait=False, cancel_futures=True)
    return failed


def solutions_run() -> bool:
    """Says whether the last step's solution passes on this machine."""
    with closing(WorkerProcess()) as worker:
        grading = Grading(find_exercise("14"), Target(solutions=True), worker)
        list(grading.run_all())
    return grading.passed

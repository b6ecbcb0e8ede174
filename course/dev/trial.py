"""Runs the suite with another MAX, in a temporary copy of the course."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from course.registry import ROOT, load_registry
from runtime.children import run_child
from runtime.ctrl_c import stoppable

PIN = re.compile(r'"max[<=>]+[^"]*?([\w.]+)"')  # the last version is installed
VERSION = re.compile(r"newest|\d[\w.]*")
LEFT_OUT = (".git", ".venv", ".pixi", ".course", ".*_cache", "__pycache__", "build")
LOCKS = ("uv.lock", "pixi.lock")
TESTS = ("--extra", "test")
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, kill, no terminal


class TrialError(Exception):
    """The trial cannot run; the message is one sentence."""


def find_release(version: str) -> str:
    """Looks up the release that a number or ``newest`` names; returns its number.

    Raises:
        TrialError: the release does not exist, or the look-up fails.
    """
    if not VERSION.fullmatch(version):
        raise TrialError(f"{version!r} is no version; say newest, or one like 26.7.0.")
    asked = "max" if version == "newest" else f"max=={version}"
    options = ("--no-deps", "--no-header", "--no-annotate", "--quiet")
    with tempfile.TemporaryDirectory() as folder:  # no pin of the course applies
        done = run_uv("pip", "compile", "-", *options, cwd=folder, input=asked)
    if done.returncode == 0:
        return done.stdout.strip().partition("==")[2]
    if "there is no version of max" in done.stderr:
        raise TrialError(f"There is no MAX {version}.")
    raise TrialError(f"uv cannot look up MAX {version}: {reason(done.stderr)}")


def pinned() -> str:
    """Returns the version of MAX to which the course is pinned."""
    found = PIN.search((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert found, "pyproject.toml has no upper bound of MAX"
    return found[1]


def run_uv(
    *arguments: str, cwd: str | Path, input: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs uv, without this process's environment or the course's date limit.

    Raises:
        TrialError: uv is not installed.
    """
    env = os.environ | {"UV_EXCLUDE_NEWER": datetime.now(UTC).isoformat()}
    for name in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH"):
        env.pop(name, None)
    try:
        return run_child(
            ["uv", *arguments],
            cwd=cwd,
            env=env,
            input=input,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        raise TrialError("course dev try-max needs uv, and there is none.") from None


def reason(said: str) -> str:
    """Returns uv's error message on one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return " ".join(lines)[:400] or "it says nothing."


@contextmanager
def temporary_copy() -> Iterator[Path]:
    """Makes a copy of the course; ends its processes and deletes it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="try-max-")).resolve()
    try:
        with stoppable(*ENDS):
            ignore = shutil.ignore_patterns(*LEFT_OUT, *LOCKS)
            yield Path(shutil.copytree(ROOT, folder / "course", ignore=ignore))
    finally:
        before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDS}
        end_processes(folder)
        shutil.rmtree(folder, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def end_processes(folder: Path) -> None:
    """Ends the processes that run a program of the folder, or run in the folder."""
    ours = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        about = [process.info["cwd"] or "", *(process.info["cmdline"] or [])]
        if any(Path(word).is_relative_to(folder) for word in about):
            with suppress(psutil.Error):
                process.kill()
                ours.append(process)
    psutil.wait_procs(ours, timeout=10)


def install(course: Path, version: str, *, quick: bool) -> None:
    """Pins MAX to a version in the copy, and makes the copy's environment.

    Raises:
        TrialError: the version cannot be installed beside the other pins.
    """
    project = course / "pyproject.toml"
    project.write_text(
        PIN.sub(f'"max=={version}"', project.read_text(encoding="utf-8"))
    )
    options = () if quick else TESTS
    done = run_uv("sync", "--compile-bytecode", "--quiet", *options, cwd=course)
    if done.returncode:
        raise TrialError(f"MAX {version} does not install: {reason(done.stderr)}")


def run_suite(course: Path, *, quick: bool) -> tuple[Path, str]:
    """Runs the suite, or the graded exercises alone, against the solutions.

    Returns:
        The path of the JUnit file, and pytest's output.
    """
    results = course / "build" / "results.xml"
    results.parent.mkdir(exist_ok=True)
    chosen = [str(e.checker_path) for e in load_registry()] if quick else ["-n", "auto"]
    done = run_child(
        [*pytest_command(course), f"--junitxml={results}", *chosen],
        cwd=course,
        env=environment(course),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return results, done.stdout


def pytest_command(course: Path) -> Sequence[str]:
    """Returns the command of pytest; whole tracebacks show the place in MAX."""
    python = course / ".venv" / "bin" / "python"
    temporary = f"--basetemp={course / 'build' / 'tmp'}"
    return (
        str(python),
        "-m",
        "pytest",
        "--solutions",
        "--trace",
        "--tb=native",
        temporary,
    )


def environment(course: Path) -> dict[str, str]:
    """Returns variables for the copy's own programs and its own cache of MAX."""
    programs = str(course / ".venv" / "bin")
    cache = str(course / "build" / "modular")
    env = os.environ | {"MODULAR_CACHE_DIR": cache, "MODULAR_MAX_CACHE_DIR": cache}
    env["PATH"] = os.pathsep.join([programs, env["PATH"]])
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
        env.pop(name, None)
    return env

"""Looks at this machine and says what is missing and how to get it."""

import importlib.metadata
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlparse

import click
from huggingface_hub import constants
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from rich.console import Console
from rich.table import Table

from course.commands import installer, typed
from course.folders import nearest, writable
from course.foreign import foreign_packages, hidden_of_python
from course.registry import ROOT
from runtime import background
from runtime.child_python import python_command
from runtime.children import run_child
from runtime.compilation_cache import cache_folder
from runtime.kernel_batches import missing_batches

State = Literal["good", "warning", "bad"]
GIB = 2**30
MARKS = {"good": "[green]✓[/]", "warning": "[yellow]![/]", "bad": "[red]✗[/]"}


@dataclass(frozen=True)
class Finding:
    """The result of one check of this machine.

    Attributes:
        topic: what was checked.
        state: "bad" stops the course; "warning" costs time or a feature.
        text: what was found.
        cure: what to do; empty if nothing is wrong.
    """

    topic: str
    state: State
    text: str
    cure: str = ""


@click.command()
def doctor() -> None:
    """Look at this machine and say what is missing and how to get it."""
    findings = examine()
    grid = Table.grid(padding=(0, 2))
    for finding in findings:
        cure = f"\n→ {finding.cure}" if finding.cure else ""
        grid.add_row(MARKS[finding.state], finding.topic, finding.text + cure)
    Console().print(grid)
    if any(finding.state == "bad" for finding in findings):
        raise click.ClickException(
            "the course cannot run here until the lines marked ✗ are mended."
        )


def examine() -> list[Finding]:
    """Makes every check, the quick and basic ones first."""
    looks: list[Callable[[], Finding]] = [
        look_at_python,
        look_at_system,
        look_at_folder,
        look_at_packages,
        look_at_max,
        look_at_linker,
        look_at_cores,
        look_at_disk,
        look_at_kernels,
        look_at_accelerator,
        look_at_network,
    ]
    return [look() for look in looks]


def look_at_python() -> Finding:
    """Checks Python: before 3.12, MAX's eager operations are 40 times slower."""
    text = platform.python_version()
    if (3, 12) <= sys.version_info < (3, 15):
        return Finding("Python", "good", text)
    cure = f"Use Python 3.12 to 3.14. Install the course again: {installer()}"
    return Finding("Python", "bad", text, cure)


def look_at_system() -> Finding:
    """Checks the system: MAX runs on Linux and on Apple silicon."""
    name, machine = platform.system(), platform.machine()
    text = f"{name} {machine}"
    if name == "Linux" and machine in ("x86_64", "aarch64"):
        library, number = platform.libc_ver()
        text = f"{text}, {library} {number}"
        if library == "glibc" and [*map(int, number.split("."))] < [2, 34]:
            return Finding(
                "system", "bad", text, "MAX needs glibc 2.34 (Ubuntu 22.04)."
            )
        return Finding("system", "good", text)
    if name == "Darwin" and machine == "arm64":
        return Finding("system", "good", text)
    cure = "MAX needs Linux (x86-64 or ARM64) or Apple silicon; on Windows use WSL2."
    return Finding("system", "bad", text, cure)


def look_at_folder() -> Finding:
    """Checks the course's path, which pixi pastes into shell and Python code."""
    if breaks := sorted(set("'$") & set(str(ROOT))):
        text = f"its path has {' and '.join(breaks)}, with which pixi does not work"
        return Finding("folder", "warning", text, "Use uv, or move the folder.")
    if any(mark in str(ROOT) for mark in ("::", "[")):
        text = "its path has :: or [, which pytest takes for the name of a check"
        cure = f"Move it, or check with the command that {typed('course next')} shows."
        return Finding("folder", "warning", text, cure)
    if hidden := hidden_of_python(str(ROOT)):
        text = f"{', '.join(hidden)} in it has the name of a module of Python"
        return Finding("folder", "warning", text, "Rename it: python -m would take it.")
    return Finding("folder", "good", str(ROOT))


def look_at_packages() -> Finding:
    """Checks that no package from another folder hides one of the course."""
    if found := foreign_packages():
        text = "\n".join(f"{each.listed} from {each.folder}" for each in found)
        cure = "\n→ ".join(each.cure for each in found)
        return Finding("packages", "bad", text, cure)
    return Finding("packages", "good", "the course's own")


def look_at_max() -> Finding:
    """Checks MAX; imports it in another process, because the import may crash."""
    needed = required_version("max")
    code = "import max.experimental.tensor, max._core as c; print(c.__version__)"
    cure = f"Install the course again: {installer()}"
    try:
        result = run_python(code)
    except subprocess.TimeoutExpired:
        return Finding("MAX", "bad", "its import does not end", cure)
    if result.returncode != 0:
        last = (result.stderr.strip().splitlines() or ["its import crashes"])[-1]
        return Finding("MAX", "bad", last, cure)
    found = importlib.metadata.version("max")
    if not needed.contains(found, prereleases=True):
        return Finding("MAX", "bad", f"{found}, the course needs {needed}", cure)
    return Finding("MAX", "good", found)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    """Runs a line of Python in another process, for two minutes at most.

    Python looks at nothing outside the virtual environment and the course. MAX's C++
    code sets variables that mislead another Python; ``os.environ`` lacks them.
    """
    return run_child(
        python_command(code, options="-I"),
        env=dict(os.environ),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )


def required_version(package: str) -> SpecifierSet:
    """Returns the versions of a package that the course's metadata allow."""
    required = map(Requirement, importlib.metadata.requires("gpt2-on-max") or [])
    return next(r.specifier for r in required if r.name == package)


def look_at_linker() -> Finding:
    """Looks for a C compiler, with which MAX links compiled code."""
    for name in ("cc", "gcc", "clang"):
        if path := shutil.which(name):
            return Finding("C linker", "good", path)
    cure = "Install one: apt-get install gcc, or xcode-select --install on a Mac"
    return Finding("C linker", "bad", "none found", cure)


def look_at_cores() -> Finding:
    """Counts the cores: more of them only shorten the first compile."""
    return Finding("cores", "good", str(os.cpu_count()))


def look_at_disk() -> Finding:
    """Checks free space: the environment takes 1 GB, kernels 0.1 GB, GPT-2 0.5 GB."""
    place = nearest(cache_folder())
    free = shutil.disk_usage(place).free / GIB
    text = f"{free:.0f} GiB free in {place}"
    if not writable(place):
        text = f"this user may not write in {place}"
        return Finding("disk", "warning", text, "Each run compiles anew what it needs.")
    if free < 1:
        return Finding("disk", "bad", text, "Make room: MAX's kernels need 1 GiB.")
    if free < 3:
        return Finding("disk", "warning", text, "GPT-2's checkpoints may not fit.")
    return Finding("disk", "good", text)


def look_at_kernels() -> Finding:
    """Checks whether the kernels are compiled; if not, first runs wait for them."""
    if background.runs():
        return Finding("kernels", "good", "the background compiles them now")
    if not missing_batches():
        return Finding("kernels", "good", "compiled")
    cure = f"Compile them once: {typed('course setup')}"
    if failed := background.failure():
        text = f"the background could not compile them: {failed}"
        return Finding("kernels", "warning", text, cure)
    return Finding("kernels", "warning", "not compiled yet: first runs wait", cure)


def look_at_accelerator() -> Finding:
    """Counts the accelerators: they help to generate; grading uses the CPU."""
    code = "from max.driver import accelerator_count; print(accelerator_count())"
    count = run_python(code).stdout.strip() or "0"
    text = "none, and none is needed" if count == "0" else f"{count} found"
    return Finding("accelerator", "good", text)


def look_at_network() -> Finding:
    """Checks the network, which only the download of GPT-2's weights needs."""
    host = urlparse(constants.ENDPOINT).hostname or ""
    try:
        socket.create_connection((host, 443), timeout=3).close()
    except OSError:
        cure = "Everything but --model gpt2 works without it."
        return Finding("network", "warning", f"{host} cannot be reached", cure)
    return Finding("network", "good", f"{host} can be reached")

"""The tasks of the pixi manifest run in the environments that it describes.

The tests need no pixi: uv makes environments with exactly the same packages.
"""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from course.registry import ROOT, load_registry
from tests.own.packages import needed

uv = needed("uv")

MANIFEST = tomllib.loads((ROOT / "pixi.toml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS: dict[str, dict[str, Any]] = {"default": MANIFEST, **MANIFEST["feature"]}
TASKS = {name: task for g in GROUPS.values() for name, task in g["tasks"].items()}
PROGRAMS = set(PROJECT["project"]["scripts"])
EXERCISES = {exercise.key: exercise for exercise in load_registry()}

# Arguments that end each command soon. Commands that read steps/ show their help, so
# that the tests pass whatever a learner has written there.
COLLECT = ["-n", "0", "--collect-only", "-q"]  # this suite runs the tests itself
WORDS = {
    "s01": ["--solutions"],
    "next": ["--help"],
    "progress": ["--help"],
    "watch": ["--help"],
    "finale": ["--help"],
    "setup": ["--help"],
    "book": ["--help"],
    "inside": ["--help"],
    "bench": ["--help"],
    "serve": ["--help"],
    "notebook": ["--help"],
    "test": COLLECT,
    "test-book": COLLECT,
}
# The first exercise stands for all.
VARIED = [name for name in TASKS if name not in {*EXERCISES} - {"s01"}]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a pixi environment once, and returns the folder of its programs."""

    @cache
    def make(name: str) -> Path:
        folder = tmp_path_factory.mktemp("environments") / name
        package = GROUPS[name]["pypi-dependencies"][PROJECT["project"]["name"]]
        extras = f"[{','.join(package['extras'])}]" if "extras" in package else ""
        program, here = uv.find_uv_bin(), f"{ROOT / package['path']}{extras}"
        quiet_run(program, "venv", "--python", sys.executable, folder)
        quiet_run(program, "pip", "install", "--python", folder, "--editable", here)
        return folder / "bin"

    return make


def quiet_run(*command: str | Path) -> None:
    env = dict(os.environ)  # lacks the variables that MAX's C++ code sets
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def run_task(
    name: str, words: list[str], environment: Callable[[str], Path]
) -> subprocess.CompletedProcess[str]:
    """Runs a task as pixi does: in the root, with the activation's variables."""
    owner = next(owner for owner, group in GROUPS.items() if name in group["tasks"])
    env = os.environ | MANIFEST["activation"]["env"]
    env["PATH"] = f"{environment(owner)}{os.pathsep}{env['PATH']}"
    return subprocess.run(
        [*shlex.split(TASKS[name]["cmd"]), *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("name", VARIED)
def test_task_runs(name: str, environment: Callable[[str], Path]) -> None:
    done = run_task(name, WORDS.get(name, []), environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", VARIED)
def test_task_takes_no_text(name: str, environment: Callable[[str], Path]) -> None:
    """Pixi pastes a task's arguments into a shell command without quoting."""
    assert run_task(name, ["once upon a time"], environment).returncode != 0


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_task_is_one_plain_command_and_described(task: dict[str, str]) -> None:
    assert not re.search(r"[&|;$`<>{]", task["cmd"])
    assert task["description"]


def test_every_exercise_has_its_task_and_its_program() -> None:
    for key, exercise in EXERCISES.items():
        assert TASKS[key]["cmd"] == f"pytest {exercise.checker_path}"
        assert exercise.label in TASKS[key]["description"]
    assert EXERCISES.keys() | {"gpt2", "course", "book"} == PROGRAMS


def test_what_is_typed_after_pixi_run_is_there() -> None:
    pages = [*(ROOT / "book" / "src").glob("*.md"), ROOT / "README.md"]
    texts = [path.read_text() for path in (*pages, *(ROOT / "steps").glob("*.py"))]
    for words, known in (
        (r"pixi run(?: -e \w+)?", PROGRAMS | TASKS.keys() | {"python", "pytest"}),
        (r"uv run(?: --extra \w+)?", PROGRAMS | {"python", "pytest"}),
    ):
        found = [re.findall(rf"{words} ([\w-][\w./-]*\w)", text) for text in texts]
        typed = {each for each in chain(*found) if not (ROOT / each).is_file()}
        assert typed
        assert typed <= known


def test_versions_are_declared_once() -> None:
    project = PROJECT["project"]
    listed = [project["dependencies"], *project["optional-dependencies"].values()]
    for required in (Requirement(line) for group in listed for line in group):
        last = [s for s in required.specifier if s.operator in ("==", "<=")]
        assert len(last) == 1 or required.name == project["name"]
    for group in GROUPS.values():
        assert set(group["pypi-dependencies"]) == {project["name"]}


def test_both_tools_install_what_was_there_on_one_day() -> None:
    day = MANIFEST["workspace"]["exclude-newer"]
    assert PROJECT["tool"]["uv"]["exclude-newer"].startswith(day)

"""The pixi manifest: within pixi's schema, and every task's command runs."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
from packaging.requirements import Requirement

from course.registry import ROOT, load_registry

MANIFEST = tomllib.loads((ROOT / "pixi.toml").read_text())
TASKS = {
    name: task if isinstance(task, str) else task["cmd"]
    for group in (MANIFEST, *MANIFEST["feature"].values())
    for name, task in group["tasks"].items()
}
SCHEMA = ROOT.parent / "shared" / "data" / "pixi" / "schema.json"

# What a learner would add, so that each command ends soon.
ARGUMENTS = {
    "gpt2": ["Once", "--max-new-tokens", "2", "--greedy"],
    "chat": ["--help"],
    "layers": ["--help"],
    "compare": ["Once", "--max-new-tokens", "2"],
    "diversity": ["Once", "--max-new-tokens", "2", "--num-samples", "2"],
    "plot": ["--help"],
    "serve": ["--help"],
    "bench": ["--help"],
    "book": ["--help"],
    "watch": ["--help"],
    "setup": ["--help"],
    "test": ["--help"],
    "test-book": ["--help"],
    "progress": ["--json"],
    "hint": ["8"],
    "diff": ["8", "--force"],
    "reset": ["--help"],
    "check": ["1", "--solutions"],
}


def run_task(name: str) -> subprocess.CompletedProcess[str]:
    """Runs a task's command as pixi does: in the root, with the activation's env."""
    command = shlex.split(TASKS[name]) + ARGUMENTS.get(name, [])
    if name in {e.key for e in load_registry()}:  # the suite runs their checks
        command += ["--solutions"] if name == "s01" else ["--collect-only", "-q"]
    bin_dir = Path(sys.executable).parent
    env = os.environ | MANIFEST["activation"]["env"]
    env["PATH"] = f"{bin_dir}{os.pathsep}{env['PATH']}"
    return subprocess.run(
        command,
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.skipif(not SCHEMA.exists(), reason="pixi's schema is not beside us")
def test_manifest_fits_pixis_schema() -> None:
    jsonschema.validate(MANIFEST, json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize("name", TASKS)
def test_task_runs(name: str) -> None:
    done = run_task(name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", TASKS.values())
def test_task_is_one_plain_command(command: str) -> None:
    assert not re.search(r"[&|;$`<>]", command)


def test_every_exercise_has_its_task() -> None:
    for exercise in load_registry():
        assert TASKS[exercise.key] == f"pytest {exercise.checker_path}"


def test_versions_are_declared_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]["serve"]
    for line in project["dependencies"] + optional:
        required = Requirement(line)
        last = [s for s in required.specifier if s.operator in ("==", "<=")]
        assert len(last) == 1, f"which {required.name} is installed depends on the day"
    assert set(MANIFEST["pypi-dependencies"]) == {project["name"]}

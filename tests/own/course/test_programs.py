"""The installed programs: names, foreign packages, Ctrl-C, pixi's and uv's commands."""

import os
import re
import signal
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest

from course import commands, doctor
from course.commands import installer, typed
from course.registry import ROOT

BIN = Path(sysconfig.get_path("scripts"))
PROGRAMS = [
    ["gpt2", "hello"],
    ["course", "next"],
    ["book", "build"],
    ["s01"],
    ["pytest", "tests/test_step_01.py"],
]


def run(*words: str, cwd: Path = ROOT, **environment: str) -> tuple[int, str]:
    """Runs an installed program; returns its exit code and all that it prints."""
    command = [str(BIN / words[0]), *words[1:]]
    env = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"} | environment
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, stdin=-3
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with a numpy that cannot be imported."""
    package = tmp_path / "numpy"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('for another Python')\n")
    return tmp_path


@pytest.mark.parametrize("words", PROGRAMS, ids=lambda words: words[0])
def test_foreign_packages_get_a_sentence(words: list[str], broken: Path) -> None:
    code, text = run(*words, PYTHONPATH=str(broken))
    assert code == 1
    assert text.startswith(f"✗ numpy would come from {broken}, not from the course.")
    assert "unset PYTHONPATH" in text
    assert len(text.splitlines()) == 1


def test_doctor_names_foreign_packages(broken: Path) -> None:
    code, text = run("course", "doctor", PYTHONPATH=str(broken))
    assert code == 1
    assert f"✗  packages     numpy from {broken}" in text
    assert "✓  MAX" in text  # MAX itself is fine


def test_other_folders_on_the_path_do_no_harm(tmp_path: Path) -> None:
    """Editors add folders to PYTHONPATH; an empty folder hides no package."""
    (tmp_path / "editor.py").touch()
    (tmp_path / "numpy").mkdir()
    path = os.pathsep.join([str(tmp_path), str(tmp_path / "missing"), ""])
    assert run("course", "hint", "8", PYTHONPATH=path)[0] == 0


def test_packages_of_the_persons_own_site(broken: Path, monkeypatch) -> None:
    monkeypatch.setattr("site.ENABLE_USER_SITE", True)
    monkeypatch.setattr("site.getusersitepackages", lambda: str(broken))
    finding = doctor.look_at_packages()
    assert finding.state == "bad"
    assert "export PYTHONNOUSERSITE=1" in finding.cure


def test_program_checks_the_exercise_it_is_named_after(tmp_path: Path) -> None:
    code, text = run("s10", "--solutions", cwd=tmp_path)
    assert code == 0
    assert text.startswith("Grading solutions/solution_10.py")


@pytest.mark.parametrize("made_by_pixi", [False, True])
def test_commands_are_typed_as_the_environment_was_made(
    made_by_pixi: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.sys, "prefix", str(tmp_path))
    if made_by_pixi:
        (tmp_path / "conda-meta").mkdir()
        (tmp_path / "conda-meta" / "pixi").touch()
    assert typed("s08") == ("pixi run s08" if made_by_pixi else "uv run s08")
    assert installer() == ("pixi install" if made_by_pixi else "uv sync")


@pytest.mark.parametrize("name", ["it's here", "50$", "a::b", "a[b]"])
def test_doctor_knows_folders_in_which_pixi_or_pytest_breaks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ROOT", tmp_path / name)
    assert doctor.look_at_folder().state == "warning"


@pytest.mark.parametrize(
    "words", [["course", "watch"], ["book", "serve", "--no-open", "--port", "0"]]
)
def test_ctrl_c_is_the_quiet_end(words: list[str]) -> None:
    process = subprocess.Popen(
        [BIN / words[0], *words[1:]],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    first = process.stdout.readline()
    assert re.search("Ctrl-C", first)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[0].strip() == ""
    assert process.returncode == 0

"""The tools: progress, next, hint, diff, reset, watch and doctor."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from course import cli, doctor, overview, state, step_files, warmup, watch
from course.attempt import Attempt, up_to_date_status
from course.grading import Grading, Target
from course.process import WorkerProcess
from course.registry import UnknownExercise, find_exercise, load_registry
from course.state import Progress


def grade(exercise_name: str, folder: Path) -> bool:
    exercise = find_exercise(exercise_name)
    target, progress = Target(steps_dir=folder), Progress(folder)
    return Attempt(exercise, target, progress, WorkerProcess()).run_all()


def test_progress_never_lies(solved_steps: Path) -> None:
    exercise = find_exercise("10")
    progress = Progress(solved_steps)
    assert progress.status(exercise) == "changed"
    assert grade("10", solved_steps)
    assert Progress(solved_steps).status(exercise) == "passed"
    path = solved_steps / "step_10.py"
    path.write_text(path.read_text().replace("x + sub", "sub"))
    assert Progress(solved_steps).status(exercise) == "changed"
    assert (
        up_to_date_status(exercise, Target(steps_dir=solved_steps), progress)
        == "failed"
    )


def test_damaged_records_are_made_again(solved_steps: Path) -> None:
    assert grade("10", solved_steps)
    progress = Progress(solved_steps)
    progress.path.write_text("{ not json")
    assert Progress(solved_steps).status(find_exercise("10")) == "changed"
    assert grade("10", solved_steps)
    assert Progress(solved_steps).status(find_exercise("10")) == "passed"


def test_overview(solved_steps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = tuple(find_exercise(n) for n in ("1", "10"))
    monkeypatch.setattr(overview, "load_registry", lambda: some)
    (solved_steps / "step_01.py").unlink()
    target, progress = Target(steps_dir=solved_steps), Progress(solved_steps)
    rows = overview.survey(target, progress, cli.console)
    assert [row.status for row in rows] == ["missing", "passed"]
    assert rows[1].seconds is not None
    assert overview.summary(rows).startswith("1 of 2 passed")


def test_hints() -> None:
    runner = CliRunner()
    texts = [
        runner.invoke(cli.main, ["hint", "8", "--level", str(level)]).output
        for level in (1, 2, 3)
    ]
    assert len(set(texts)) == 3
    for exercise in load_registry():
        assert all(hint.strip() for hint in exercise.hints)
        assert len(exercise.hints) == 3


def test_unknown_exercise_is_a_usage_error() -> None:
    result = CliRunner().invoke(cli.main, ["hint", "99"])
    assert result.exit_code == 2
    assert "no exercise '99'" in result.output
    with pytest.raises(UnknownExercise):
        find_exercise("")


@pytest.mark.parametrize("name", ["8", "08", "s08", "step_08", "steps/step_08.py"])
def test_names_of_an_exercise(name: str) -> None:
    assert find_exercise(name).number == 8


def test_diff_waits_for_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "passes", lambda exercise: False)
    result = CliRunner().invoke(cli.main, ["diff", "10"])
    assert result.exit_code == 1
    monkeypatch.setattr(step_files, "compare", lambda _: [("mine", "theirs")])
    result = CliRunner().invoke(cli.main, ["diff", "10", "--force"])
    assert result.exit_code == 0
    assert "theirs" in result.output


def test_watch_knows_which_exercise_was_saved(solved_steps: Path) -> None:
    paths = {
        solved_steps / "step_08.py",
        solved_steps / "notes.txt",
        solved_steps / "step_02.py~",
    }
    assert [e.key for e in watch.saved_exercises(paths)] == ["s08"]


def test_doctor_sees_this_machine() -> None:
    findings = {finding.topic: finding for finding in doctor.examine()}
    assert findings["Python"].state == "good"
    assert findings["MAX"].state == "good"
    assert findings["C linker"].state == "good"
    for finding in findings.values():
        assert (finding.cure == "") == (finding.state == "good")


def test_doctor_misses_a_linker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    finding = doctor.look_at_linker()
    assert finding.state == "bad"
    assert "apt-get install gcc" in finding.cure


def test_setup_says_what_cannot_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise subprocess.CalledProcessError(1, "cc", stderr=b"many lines\nno linker\n")

    monkeypatch.setattr(warmup, "JOBS", {"all": lambda: None, "a model": fail})
    result = CliRunner().invoke(cli.main, ["setup"])
    assert result.exit_code == 1
    assert "MAX cannot compile a model (no linker)" in result.output
    assert "Ready" not in result.output


def test_setup_is_ready_when_a_solution_has_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warmup, "JOBS", {"all": lambda: None})
    result = CliRunner().invoke(cli.main, ["setup"])
    assert result.exit_code == 0
    monkeypatch.setattr(warmup, "find_exercise", lambda _: find_exercise("1"))
    monkeypatch.setattr(Grading, "run_all", lambda _: [])
    assert CliRunner().invoke(cli.main, ["setup"]).exit_code == 1


def test_repl_works_on_the_cpu_in_float32() -> None:
    code = """
from max.experimental import functional as F
from max.experimental.tensor import Tensor
x = Tensor([1.0, 4.0])
print(F.rsqrt(x).to_numpy().tolist(), x.dtype, x.device)
"""
    command = [sys.executable, "-m", "course", "repl"]
    env = dict(os.environ)  # lacks the variables that MAX's C++ code sets
    done = subprocess.run(command, input=code, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "[1.0, 0.5] DType.float32 Device(type=cpu,id=0)" in done.stdout


def test_records_survive_each_other(solved_steps: Path) -> None:
    first, second = Progress(solved_steps), Progress(solved_steps)
    first.record(find_exercise("1"), "a", passed=True, seconds=1)
    second.record(find_exercise("2"), "b", passed=True, seconds=1)
    assert set(Progress(solved_steps).records) == {"s01", "s02"}
    assert time.time() - Progress(solved_steps).records["s01"].when < 60
    assert isinstance(Progress(solved_steps).records["s01"], state.Record)

"""``course dev try-max`` runs the suite with another MAX, in a temporary copy."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from course import cli
from course.dev import trial
from course.dev.causes import Cause, read_results
from course.registry import ROOT

UV = """#!{python}
import os, sys, venv
from pathlib import Path
log = Path({log!r})
log.write_text(log.read_text() + " ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "pip":
    asked = sys.stdin.read()
    if asked == "max==99.1":
        sys.exit("error: No solution\\n Because there is no version of max==99.1")
    if asked == "max==98.1":
        sys.exit("error: the network is down")
    print("max==" + (asked.partition("==")[2] or {newest!r}))
elif "does-not-install" in Path("pyproject.toml").read_text():
    sys.exit("error: No solution")
else:
    programs = Path(".venv/bin")
    programs.mkdir(parents=True)
    (programs / "python").symlink_to({suite!r})
"""
SUITE = """#!/bin/sh
for word; do case $word in
--junitxml=*) file=${{word#*=}};;
--basetemp=*) mkdir "${{word#*=}}" || exit 3;;
esac; done
{body}
"""
RESULTS = """<testsuites><testsuite>
<testcase classname="tests.test_step_02" name="test_a"/>
<testcase classname="tests.test_step_02" name="test_b"><skipped message=""/></testcase>
<testcase classname="tests.test_step_08" name="test_c"><failure message="✗ It adds.">
✗ It adds.
Traceback (most recent call last):
  File "{course}/course/worker.py", line 98, in answer
  File "{course}/solutions/solution_08.py", line 33, in f
  File "{course}/.venv/lib/python3.13/site-packages/max/graph/graph.py", line 8, in g
AttributeError: 'list' object has no attribute 'to_mlir'

hint: course hint 8</failure></testcase>
<testcase classname="tests.test_step_09" name="test_d"><failure message="✗ Likewise.">
  File "{course}/solutions/solution_08.py", line 33, in f
  File "{course}/.venv/lib/python3.13/site-packages/max/graph/graph.py", line 8, in g
AttributeError: 'list' object has no attribute 'to_mlir'</failure></testcase>
<testcase classname="" name="tests.own.test_kept"><error message="collection failure">
solutions/solution_01.py:5: in &lt;module&gt;
E   ModuleNotFoundError: No module named 'max.experimental.compilation'
</error></testcase>
</testsuite></testsuites>
"""


SOLUTIONS = ("solutions/solution_01.py", "solutions/solution_08.py")


def try_max(*arguments: str) -> tuple[int, str]:
    """Runs ``course dev try-max``; returns its exit code and all that it printed."""
    result = CliRunner().invoke(cli.main, ["dev", "try-max", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts a fake uv on PATH: it logs its calls, and its Python runs ``suite``."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(trial.tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "log").touch()
    suite, log = str(tmp_path / "suite"), str(tmp_path / "log")
    text = UV.format(python=sys.executable, log=log, newest="98.0", suite=suite)
    write_program(tmp_path / "uv", text)
    return tmp_path


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def suite_that(folder: Path, body: str) -> None:
    """Replaces the suite by a shell script."""
    write_program(folder / "suite", SUITE.format(body=body))


def left(folder: Path) -> list[Path]:
    """Lists the files that a trial has left behind."""
    return list((folder / "temporary").iterdir())


def test_try_max_says_what_broke_and_where(uv: Path) -> None:
    lines = RESULTS.format(course="$PWD")
    suite_that(uv, f'cat > "$file" <<END\n{lines}\nEND\nexit 1')
    code, said = try_max("98.0", "--quick")
    assert code == 1
    assert "breaks on MAX 98.0: 1 passed, 3 failed, 1 skipped" in said
    first, second = said.split("\n\n")[1:]
    assert first.splitlines()[0].endswith(
        "solutions/solution_08.py:33 → max/graph/graph.py:8"
    )
    assert "'list' object has no attribute 'to_mlir'" in first
    assert "test_step_08.test_c, test_step_09.test_d" in first
    assert "solutions/solution_01.py:5" in second
    assert left(uv) == []


def test_try_max_installs_that_version_in_a_copy_alone(uv: Path) -> None:
    before = (ROOT / "pyproject.toml").read_bytes()
    suite_that(uv, f'cp pyproject.toml "{uv}/copied.toml"; echo "<a/>" > "$file"')
    code, said = try_max("newest")
    assert (code, said.partition(":")[0]) == (0, "The course runs on MAX 98.0")
    assert '"max==98.0"' in (uv / "copied.toml").read_text()
    assert (ROOT / "pyproject.toml").read_bytes() == before
    assert "sync" in (uv / "log").read_text()


def test_the_newest_that_is_installed_already_is_not_tried(uv: Path) -> None:
    program = uv / "uv"
    program.write_text(program.read_text().replace("98.0", trial.pinned()))
    assert try_max("newest")[0] == 0
    assert "sync" not in (uv / "log").read_text()


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ("99.1", "There is no MAX 99.1."),
        ("soon", "'soon' is no version"),
        ("98.1", "cannot look up MAX 98.1: error: the network is down"),
    ],
)
def test_a_version_that_cannot_be_tried(uv: Path, version: str, sentence: str) -> None:
    code, said = try_max(version)
    assert code == 1
    assert sentence in said
    assert len(said.splitlines()) == 1


def test_without_uv_there_is_no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    code, said = try_max("newest")
    assert code == 1
    assert "needs uv" in said


def test_a_suite_that_does_not_start_is_shown(uv: Path) -> None:
    suite_that(uv, "echo ImportError: no such plugin; exit 4")
    code, said = try_max("98.0")
    assert code == 1
    assert "ImportError: no such plugin" in said
    assert left(uv) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_behind(uv: Path, number: signal.Signals) -> None:
    """No file is left, and no process, not even one in a session of its own."""
    sleeper = f"{sys.executable} -c 'import os, time; os.setsid(); time.sleep(60)'"
    suite_that(uv, f'{sleeper} & echo $! > "{uv}/pid"; wait')
    code = f"""
import sys, tempfile
from course.cli import main
tempfile.tempdir = {str(uv / "temporary")!r}
main(["dev", "try-max", "98.0"])
"""
    command = [sys.executable, "-c", code]
    running = subprocess.Popen(
        command, cwd=ROOT, env=dict(os.environ), stderr=subprocess.PIPE, text=True
    )
    while not (uv / "pid").exists() or not (pid := (uv / "pid").read_text()):
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    running.send_signal(number)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 1
    assert said == "Stopped; the copy of the course is gone.\n"
    assert left(uv) == []
    assert not psutil.pid_exists(int(pid)) or is_dead(int(pid))


def is_dead(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_one_cause_of_many_failures_is_one_cause(tmp_path: Path) -> None:
    for file in ("course/worker.py", *SOLUTIONS):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    recorded = tmp_path / "results.xml"
    recorded.write_text(RESULTS.format(course=tmp_path))
    results = read_results(recorded, tmp_path)
    assert results.counts == {"passed": 1, "failed": 3, "skipped": 1}
    error = "AttributeError: 'list' object has no attribute 'to_mlir'"
    cause = Cause("solutions/solution_08.py:33", "max/graph/graph.py:8", error)
    assert results.broken[cause] == ["test_step_08.test_c", "test_step_09.test_d"]
    missing = "ModuleNotFoundError: No module named 'max.experimental.compilation'"
    assert results.broken[Cause("solutions/solution_01.py:5", "", missing)] == [
        "test_kept"
    ]

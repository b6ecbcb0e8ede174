"""Grading as a command: exit codes, the report, and pytest's other reporters."""

from pathlib import Path

from course.registry import short
from tests.own.course.running import pytest_run


def test_right_file(solved_steps: Path) -> None:
    arguments = ["tests/test_step_10.py", "--steps-dir", str(solved_steps)]
    code, text = pytest_run(*arguments, COLUMNS="300")  # on one line, however deep
    assert code == 0
    assert text.startswith(f"Grading {short(solved_steps / 'step_10.py')}")
    assert "✗" not in text
    assert "✓" in text


def test_wrong_file(solved_steps: Path) -> None:
    path = solved_steps / "step_10.py"
    path.write_text(path.read_text().replace("x + sublayer", "sublayer"))
    arguments = ["tests/test_step_10.py", "--steps-dir", str(solved_steps)]
    code, text = pytest_run(*arguments, COLUMNS="72", NO_COLOR="1")
    assert code == 1
    assert "acts as if:" in text
    assert "\x1b[" not in text
    assert max(len(line) for line in text.splitlines()) <= 72


def test_solutions() -> None:
    code, text = pytest_run("tests/test_step_10.py", "--solutions")
    assert code == 0
    assert text.startswith("Grading solutions/solution_10.py")


def test_crash_has_an_exit_code(solved_steps: Path) -> None:
    (solved_steps / "step_10.py").write_text("import os; os._exit(0)\n")
    code, text = pytest_run("tests/test_step_10.py", "--steps-dir", str(solved_steps))
    assert code == 1
    assert "ended the Python process" in text


def test_whole_trace_on_request(solved_steps: Path) -> None:
    path = solved_steps / "step_08.py"
    path.write_text(path.read_text().replace("key.transpose(-1, -2)", "key"))
    arguments = ["tests/test_step_08.py", "--steps-dir", str(solved_steps)]
    assert "site-packages/max" not in pytest_run(*arguments)[1]
    assert "site-packages/max" in pytest_run(*arguments, "--trace")[1]


def test_other_reporters_get_the_text_too(solved_steps: Path, tmp_path: Path) -> None:
    (solved_steps / "step_10.py").write_text(
        "def pre_norm_residual(x, norm, sublayer):\n    return x\n"
    )
    junit = tmp_path / "junit.xml"
    arguments = ["tests/test_step_10.py", "--steps-dir", str(solved_steps)]
    code, _ = pytest_run(*arguments, f"--junitxml={junit}")
    assert code == 1
    assert "acts as if" in junit.read_text() or "not right" in junit.read_text()


LISTENER = """
def pytest_report_teststatus(report):
    if report.when == "call":
        print(report.outcome, file=open({heard!r}, "a"))
"""


def test_an_editors_test_panel_hears_of_every_check(
    solved_steps: Path, tmp_path: Path
) -> None:
    """VS Code's plugin listens to this hook, which a terminal's reporter calls."""
    heard = tmp_path / "heard"
    (tmp_path / "panel.py").write_text(LISTENER.format(heard=str(heard)))
    checks = ["tests/test_step_10.py", "--steps-dir", str(solved_steps)]
    assert pytest_run("-p", "panel", *checks, PYTHONPATH=str(tmp_path))[0] == 0
    outcomes = heard.read_text().split()
    assert len(outcomes) > 1
    assert set(outcomes) == {"passed"}

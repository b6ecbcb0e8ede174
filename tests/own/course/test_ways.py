"""However pytest is started, the report says what ran, and no more than that.

The plugins here imitate what plugins of editors and CIs do to pytest.
"""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from course.registry import ROOT, find_exercise
from course.state import Progress
from tests.own.course.running import python_run

FIRST, TENTH = "tests/test_step_01.py", "tests/test_step_10.py"
CRASH = "import os\n\ndef pre_norm_residual(x, norm, sublayer):\n    os._exit(0)\n"


def run(*arguments: str | Path, **environment: str) -> tuple[int, str]:
    """Runs Python in the repository; returns its exit code and all that it prints."""
    plain = {"COLUMNS": "200", "NO_COLOR": "1"}
    return python_run(*arguments, **plain | environment)


def check(steps: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Runs pytest on the steps in a folder. Plugins are found in the folder above."""
    environment["PYTHONPATH"] = str(steps.parent)
    return run("-m", "pytest", f"--steps-dir={steps}", *arguments, **environment)


@pytest.fixture
def wrong_steps(solved_steps: Path) -> Path:
    """Steps of which the tenth is wrong."""
    path = solved_steps / "step_10.py"
    path.write_text(path.read_text().replace("x + sublayer", "sublayer"))
    return solved_steps


def status(steps: Path, number: str) -> str:
    return Progress(steps).status(find_exercise(number))


def plugin(steps: Path, text: str) -> str:
    """Writes a plugin and returns the option that loads it after all others."""
    (steps.parent / "imitation.py").write_text(text)
    return "-pimitation"


def test_a_run_that_stops_early_explains_the_failure(wrong_steps: Path) -> None:
    code, text = check(wrong_steps, TENTH, FIRST, "-x")
    assert code == 1
    assert "acts as if: x itself is missing" in text
    assert "1 of 6 checks ran. All of them: " in text
    assert "Not begun: Step 01" in text
    assert status(wrong_steps, "10") == "failed"
    assert status(wrong_steps, "1") == "changed"


def test_a_part_that_passes_is_no_pass(solved_steps: Path) -> None:
    code, text = check(solved_steps, FIRST, "-k", "frozen")
    assert code == 0
    assert "1 of 7 checks ran and passed." in text
    assert "Passed" not in text
    assert "go on" not in text
    assert status(solved_steps, "1") == "changed"


def test_nothing_is_not_silent(solved_steps: Path) -> None:
    code, text = check(solved_steps, FIRST, "-k", "nothing")
    assert code == 5
    assert "No check ran" in text


def test_preparing_alone_grades_nothing(solved_steps: Path) -> None:
    code, text = check(solved_steps, FIRST, "--setup-only")
    assert code == 0
    assert "Grading" not in text
    assert "no tests ran" in text


def test_many_processes_give_one_report(wrong_steps: Path) -> None:
    code, text = check(wrong_steps, FIRST, TENTH, "-n2")
    assert code == 1
    assert text.index("Passed in") < text.index("acts as if:")
    assert status(wrong_steps, "1") == "passed"


def test_checker_as_a_script(wrong_steps: Path) -> None:
    code, text = run(ROOT / TENTH, f"--steps-dir={wrong_steps}")
    assert code == 1
    assert "acts as if:" in text


def test_without_the_courses_settings(wrong_steps: Path) -> None:
    """An editor or a folder above may have its own settings for pytest."""
    options = ["-o", "addopts=", "--disable-plugin-autoload"]
    code, text = check(wrong_steps, TENTH, *options)
    assert code == 1
    assert "acts as if:" in text


def test_without_terminal_capture_and_debugger(wrong_steps: Path) -> None:
    code, text = check(wrong_steps, TENTH, "-pno:terminal", "-pno:capture", "--pdb")
    assert code == 1
    assert "--pdb does nothing here" in text
    assert "acts as if:" in text


def test_two_runs_in_one_interpreter(wrong_steps: Path) -> None:
    """Notebooks run pytest in their own process, again and again."""
    broken, right = f"--steps-dir={wrong_steps}", "--solutions"
    script = f"import pytest\nprint([int(pytest.main([{TENTH!r}, option]))"
    script += f" for option in {[broken, right]}])"
    code, text = run("-c", script, TENTH)  # a worker starts early, as for a command
    assert code == 0
    assert "[1, 0]" in text


def test_pythons_own_settings(solved_steps: Path) -> None:
    """Without docstrings, checks have their names. No message of Python's is yours."""
    settings = {"PYTHONOPTIMIZE": "2", "PYTHONPROFILEIMPORTTIME": "1"}
    code, text = check(solved_steps, f"{FIRST}::test_own_sizes", **settings)
    assert code == 0
    assert "✓ own sizes" in text
    assert "1 of 7 checks ran and passed." in text
    assert "your code printed" not in text


def test_durations_and_text_for_other_programs(
    wrong_steps: Path, tmp_path: Path
) -> None:
    path = wrong_steps / "step_10.py"
    body = "    raise ValueError('\\0 \\x1b \\ud800 ]]>')\n"
    path.write_text(f"def pre_norm_residual(x, norm, sublayer):\n{body}")
    junit = tmp_path / "junit.xml"
    environment = {"PYTHONIOENCODING": "utf-8:backslashreplace"}
    arguments = [TENTH, "--durations=1", f"--junitxml={junit}"]
    code, text = check(wrong_steps, *arguments, **environment)
    assert code == 1
    assert "slowest 1 durations" in text
    suite = ElementTree.parse(junit).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("6", "6")
    failure = suite[0][0].text or ""
    assert "ValueError" in failure
    assert all(line == line.rstrip() for line in failure.splitlines())


AGAIN = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for last in (False, True):
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""


def test_running_a_crashed_check_again_is_no_success(solved_steps: Path) -> None:
    """Only the last of several runs counts for such plugins."""
    (solved_steps / "step_10.py").write_text(CRASH)
    code, text = check(solved_steps, plugin(solved_steps, AGAIN), TENTH)
    assert code == 1
    assert "ended the Python process" in text
    assert status(solved_steps, "10") == "failed"


FORGIVING = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        report.outcome, report.wasxfail = "skipped", "forgiven"
    return report
"""


def test_a_forgiving_plugin_does_not_forgive(wrong_steps: Path) -> None:
    forgive = plugin(wrong_steps, FORGIVING)
    code, text = check(wrong_steps, forgive, TENTH)
    assert code == 1
    assert "acts as if:" in text


SHUFFLED = """
def pytest_collection_modifyitems(items):
    items[:] = items[::-2] + items[-2::-2]
"""


def test_shuffled_checks_are_graded_in_order(wrong_steps: Path) -> None:
    shuffle = plugin(wrong_steps, SHUFFLED)
    code, text = check(wrong_steps, shuffle, FIRST, TENTH)
    assert code == 1
    assert text.count("Grading") == 2
    assert "acts as if: x itself is missing" in text
    assert status(wrong_steps, "1") == "passed"


SLOW = """
import signal
import pytest

def give_up(*_):
    pytest.fail("too slow")

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 0.01 * (item.name == "test_frozen"))
    return (yield)

@pytest.fixture(autouse=True)
def licence(request):
    assert request.node.name != "test_equality", "no licence"
"""


def test_failures_that_are_not_of_a_check_are_reported(solved_steps: Path) -> None:
    """After a time limit, the late reply must not answer the next request."""
    path = solved_steps / "step_01.py"
    slow = "    def __post_init__(self):\n        __import__('time').sleep(0.1)\n"
    path.write_text(f"{path.read_text()}\n{slow}")
    code, text = check(solved_steps, plugin(solved_steps, SLOW), FIRST)
    assert code == 1
    assert "test_frozen (call): Failed: too slow" in text
    assert "test_equality (setup): AssertionError: no licence" in text
    assert "4 of 7 checks ran." in text
    assert text.count("✓") == 4


DEBUGGED = """
import sys, types

sys.modules["pydevd"] = types.ModuleType("pydevd")
"""


def test_a_persons_debugger_has_no_time_limit(solved_steps: Path) -> None:
    path = solved_steps / "step_10.py"
    path.write_text(f"import time\n\ntime.sleep(1)\n{path.read_text()}")
    debug = plugin(solved_steps, DEBUGGED)
    arguments = [f"{TENTH}::test_silent_sublayer", "--limit=0.5"]
    assert "did not finish within 0.5 seconds" in check(solved_steps, *arguments)[1]
    assert check(solved_steps, debug, *arguments)[0] == 0


TALKATIVE = """
import pytest
from _pytest.terminal import TerminalReporter

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    plugins = config.pluginmanager
    plugins.unregister(name="terminalreporter")
    plugins.register(TerminalReporter(config), "terminalreporter")

def pytest_generate_tests(metafunc):
    metafunc.fixturenames.append("time")
    metafunc.parametrize("time", [1, 2])
"""


def test_plugins_with_a_reporter_and_repeated_checks(solved_steps: Path) -> None:
    """Repeated checks have other names. Two reporters would print a mixture."""
    code, text = check(solved_steps, plugin(solved_steps, TALKATIVE), TENTH)
    assert code == 0
    assert text.startswith("Grading")
    assert "test session starts" not in text
    assert text.count("✓") == 12
    assert "Passed" in text


def test_another_copy_than_the_installed_one(tmp_path: Path) -> None:
    """People clone the course again and keep the environment of the first copy."""
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "plugin.py").touch()
    options = ["--rootdir", str(tmp_path), "-c", str(ROOT / "pyproject.toml")]
    code, text = run("-m", "pytest", *options, tmp_path)
    assert code == 4
    assert f"The installed course is in {ROOT}, and {tmp_path} is another" in text

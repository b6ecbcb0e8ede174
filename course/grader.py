"""Grades the checks of a pytest session and prints the report."""

import io
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter
from _pytest.timing import Instant
from rich.console import Console

from course.attempt import Attempt
from course.grading import Outcome, Target, load_checks
from course.messages import Compiling
from course.process import WorkerProcess
from course.registry import ROOT, Exercise, load_registry
from course.report import Report
from course.state import Progress


@cache
def resolve(path: Path) -> Path:
    """Returns a path without symbolic links, which editors and people use."""
    return path.resolve()


class Grader:
    """Runs the checks of a pytest session.

    Each of a learner's files has a worker of its own; the solutions share one.

    Args:
        config: the session's configuration.
        spare: a worker that has already started, or None.
    """

    def __init__(self, config: pytest.Config, spare: WorkerProcess | None) -> None:
        option = config.option
        self.config = config
        steps_dir = option.steps_dir.resolve()
        self.target = Target(option.solutions, steps_dir, option.limit)
        self.exercises = {(ROOT / e.checker_path): e for e in load_registry()}
        self.progress = Progress(steps_dir)
        self.report: Report | None = None
        self.spare = spare
        if spare:
            spare.on_compile = self.on_compile
        self.waiting: set[str] = set()  # keys of exercises that have not begun
        self.attempt: Attempt | None = None

    def use_report(self) -> None:
        """Prints a report of every check from now on."""
        self.report = Report(Console(), whole_trace=self.config.option.trace)

    def start_worker(self) -> None:
        """Starts the next worker, which imports MAX while other checks run."""
        self.spare = self.spare or WorkerProcess(self.on_compile)

    def on_compile(self, message: Compiling) -> None:
        (self.report or Report(Console(stderr=True))).compiling(message)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        found = filter(None, map(self.exercise_of, session.items))
        self.waiting = {exercise.key for exercise in found}

    def exercise_of(self, item: pytest.Item) -> Exercise | None:
        """Returns the exercise that a check belongs to; None for other tests."""
        return self.exercises.get(resolve(item.path))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: Any) -> Any:
        """Begins an exercise before its first check and ends it after its last."""
        exercise = self.exercise_of(item)
        if exercise and self.attempt is None:
            self.begin(exercise)
        result = yield
        if self.attempt and (nextitem is None or nextitem.path != item.path):
            self.end(self.attempt)
        return result

    def begin(self, exercise: Exercise) -> None:
        """Opens an attempt at an exercise in the spare worker."""
        worker, self.spare = self.spare or WorkerProcess(self.on_compile), None
        self.attempt = attempt = Attempt(
            exercise,
            self.target,
            self.progress,
            worker,
            report=self.report,
            mine=self.config.option.mine,
            closes=not self.target.solutions,
        )
        self.waiting.discard(exercise.key)
        if self.waiting and attempt.closes:
            self.start_worker()

    def end(self, attempt: Attempt) -> None:
        """Ends an attempt; keeps a worker that ran a solution and still runs."""
        attempt.end()
        worker = attempt.grading.worker
        if not attempt.closes and worker.process.poll() is None:
            self.spare = worker
        self.attempt = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Runs a check in the worker instead of calling it here."""
        exercise = self.exercise_of(pyfuncitem)
        if exercise is None or self.attempt is None:
            return None
        checks = {check.name: check for check in load_checks(exercise)}
        capture: Any = self.config.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled():
            outcome = self.attempt.run(checks[pyfuncitem.name])
        if outcome.state == "not run":
            pytest.skip("not run: the file could not be loaded, or its process ended")
        if outcome.state != "passed":
            text = plain_text(outcome, whole_trace=self.config.option.trace)
            pytest.fail(text, pytrace=False)
        return True

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Makes the session a failure if its report could not be written."""
        if getattr(sys.stdout, "failed", False):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_unconfigure(self) -> None:
        for worker in (self.spare, self.attempt and self.attempt.grading.worker):
            if worker:
                worker.close()


class QuietReporter(TerminalReporter):  # type: ignore[misc]  # final, but replaceable
    """Prints nothing but errors of pytest's collection."""

    def write_sep(self, *args: Any, **kwargs: Any) -> None: ...

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session
        self._session_start = Instant()

    def pytest_report_header(self, *args: Any) -> list[str]:
        return []

    def pytest_collection(self) -> None: ...

    def report_collect(self, final: bool = False) -> None: ...

    def pytest_collection_finish(self, session: pytest.Session) -> None: ...

    def pytest_runtest_logstart(self, *args: Any, **kwargs: Any) -> None: ...

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Prints nothing; calls the hook to which an editor's test panel listens."""
        self.config.hook.pytest_report_teststatus(report=report, config=self.config)

    def pytest_runtest_logfinish(self, *args: Any, **kwargs: Any) -> None: ...

    def summary_failures(self) -> None: ...

    def summary_warnings(self) -> None: ...

    def summary_stats(self) -> None: ...

    def short_test_summary(self) -> None: ...


def plain_text(outcome: Outcome, *, whole_trace: bool) -> str:
    """Returns the report of one check as text, for editors and other reporters."""
    console = Console(width=88, record=True, file=io.StringIO())
    report = Report(console, whole_trace=whole_trace)
    (report.to_do if outcome.state == "to do" else report.failure)(outcome)
    return console.export_text().strip()

"""Grades the checks of a pytest session and prints the report."""

import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from course.attempt import Attempt
from course.grading import Target, load_checks
from course.messages import Compiling
from course.process import WorkerProcess
from course.quiet_reporter import QuietReporter, console_for, plain_text
from course.registry import ROOT, Exercise, load_registry
from course.report import Report
from course.state import Progress
from course.voice import Voice, begin_voice

DAY = 86_400.0  # seconds


@cache
def resolve(path: Path) -> Path:
    """Returns a path without symbolic links, which editors and people use."""
    return path.resolve()


class Grader:
    """Runs the checks of a pytest session.

    Each of a learner's files has a worker of its own; the solutions share one.

    Args:
        config: the session's configuration.
        spare: a worker that has already started, if only steps are graded. The
            report then replaces that of pytest. None otherwise.
        grades: False if pytest only lists tests.
    """

    def __init__(
        self, config: pytest.Config, spare: WorkerProcess | None, *, grades: bool
    ) -> None:
        option = config.option
        self.config = config
        steps_dir = option.steps_dir.resolve()
        # In an editor's debugger, a person reads while a call waits.
        limit = DAY if "pydevd" in sys.modules else option.limit
        self.target = Target(option.solutions, steps_dir, limit)
        graded = load_registry() if grades else ()
        self.exercises = {(ROOT / e.checker_path): e for e in graded}
        self.progress = Progress(steps_dir)
        self.report: Report | None = None
        self.spare = spare
        if spare:
            spare.on_compile = self.on_compile
            spare.on_slow_start = self.on_slow_start
        self.waiting: set[str] = set()  # keys of exercises that have not begun
        self.attempt: Attempt | None = None
        self.voice: Voice | None = None
        self.alone = False  # whether one exercise is graded, and no other
        self.explained: set[str] = set()  # tests whose failure the report explains

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Replaces pytest's reporter and debugger if only steps are graded."""
        plugins = config.pluginmanager
        # Here --trace prints the whole traceback; in pytest it starts the debugger.
        plugins.unregister(name="pdbtrace")
        if self.spare is None:
            return
        self.report = Report(console_for(config), whole_trace=config.option.trace)
        if plugins.unregister(name="pdbinvoke"):
            self.report.no_debugger()
        if standard := plugins.get_plugin("terminalreporter"):
            plugins.unregister(standard)
            plugins.register(QuietReporter(config), "terminalreporter")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Any:
        """Puts the checks of an exercise together and in order, as they are graded."""
        result = yield
        place: dict[Any, int] = {}
        for number, item in enumerate(items):
            place.setdefault(self.group(item), number)
        items.sort(key=lambda item: (place[self.group(item)], self.line(item)))
        return result

    def group(self, item: pytest.Item) -> Exercise | pytest.Item:
        return self.exercise_of(item) or item

    def line(self, item: pytest.Item) -> int:
        return item.location[1] or 0

    def start_worker(self) -> None:
        """Starts the next worker, which imports MAX while other checks run."""
        self.spare = self.spare or self.new_worker()

    def new_worker(self) -> WorkerProcess:
        return WorkerProcess(self.on_compile, self.on_slow_start)

    def on_compile(self, message: Compiling) -> None:
        self.reporter.compiling(message)

    def on_slow_start(self) -> None:
        self.reporter.slow_start()

    @property
    def reporter(self) -> Report:
        """The report; where pytest prints its own, a report on stderr."""
        return self.report or Report(Console(stderr=True))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        found = filter(None, map(self.exercise_of, session.items))
        self.waiting = {exercise.key for exercise in found}
        self.alone = len(self.waiting) == 1

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
        worker, self.spare = self.spare or self.new_worker(), None
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
        if self.report and self.alone and not self.config.option.no_voice:
            with self.uncaptured():
                self.voice = begin_voice(attempt.grading)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Runs a check in the worker instead of calling it here."""
        exercise = self.exercise_of(pyfuncitem)
        if exercise is None or self.attempt is None:
            return None
        checks = {check.name: check for check in load_checks(exercise)}
        # The item's own name may have a suffix, if a plugin repeats checks.
        check = checks[getattr(pyfuncitem, "originalname", pyfuncitem.name)]
        with self.uncaptured():
            outcome = self.attempt.run(check)
        if outcome.state == "not run":
            pytest.skip("not run: the file could not be loaded, or its process ended")
        if outcome.state != "passed":
            self.explained.add(pyfuncitem.nodeid)
            text = plain_text(outcome, whole_trace=self.config.option.trace)
            pytest.fail(text, pytrace=False)
        return True

    def uncaptured(self) -> AbstractContextManager[None]:
        """Lets the report reach the terminal; -p no:capture needs nothing."""
        capture: Any = self.config.pluginmanager.get_plugin("capturemanager")
        return capture.global_and_fixture_disabled() if capture else nullcontext()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Reports a failure that no check explains, such as a plugin's time limit."""
        known = report.when == "call" and report.nodeid in self.explained
        if self.report and report.failed and not known:
            crash = getattr(report.longrepr, "reprcrash", None)
            text = crash.message if crash else report.longreprtext
            if self.report.whole_trace:
                text = report.longreprtext
            place = f"{report.nodeid.split('::')[-1]} ({report.when})"
            self.report.other_failure(place, text)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Reports what was cut short. No failed check ends as a success."""
        if self.attempt:
            self.end(self.attempt)
        if self.report and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            self.report.no_check()
        elif self.report and self.waiting:
            graded = self.exercises.values()
            self.report.not_begun([e for e in graded if e.key in self.waiting])
        unwritten = getattr(sys.stdout, "failed", False)
        if unwritten or (self.explained and exitstatus == pytest.ExitCode.OK):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_unconfigure(self) -> None:
        for worker in (self.spare, self.attempt and self.attempt.grading.worker):
            if worker:
                worker.close()
        if self.voice:
            self.let_speak(self.voice)

    def let_speak(self, voice: Voice) -> None:
        """Lets the model write, once everything else is printed."""
        with self.uncaptured():
            if self.report:
                voice.speak(self.report.console)
            voice.close()

"""What the course puts in the place of pytest's own output."""

import io
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter
from _pytest.timing import Instant
from rich.console import Console

from course.outcomes import Outcome
from course.report import Report


class QuietReporter(TerminalReporter):  # type: ignore[misc]  # final, but replaceable
    """Prints nothing but errors of pytest's collection, and what plugins add."""

    def write_sep(self, sep: str, *args: Any, **kwargs: Any) -> None:
        """Leaves out why pytest stopped: the report says which checks ran."""
        if sep != "!":
            super().write_sep(sep, *args, **kwargs)

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
        """Prints nothing; tells other plugins: an editor's test panel, --durations."""
        hook = self.config.hook.pytest_report_teststatus
        category, *_ = hook(report=report, config=self.config)
        self._add_stats(category, [report])

    def pytest_runtest_logfinish(self, *args: Any, **kwargs: Any) -> None: ...

    def summary_errors(self) -> None:
        """Prints errors of the collection; the grader reports those of checks."""
        errors = self.stats.pop("error", [])
        self.stats["error"] = [e for e in errors if isinstance(e, pytest.CollectReport)]
        super().summary_errors()
        self.stats["error"] = errors

    def summary_failures(self) -> None: ...

    def summary_warnings(self) -> None: ...

    def summary_stats(self) -> None: ...

    def short_test_summary(self) -> None: ...


def plain_text(outcome: Outcome, *, whole_trace: bool) -> str:
    """Returns the report of one check as text, for editors and other reporters."""
    console = Console(width=88, record=True, file=io.StringIO())
    report = Report(console, whole_trace=whole_trace)
    (report.to_do if outcome.state == "to do" else report.failure)(outcome)
    lines = console.export_text().strip().splitlines()
    text = "\n".join(line.rstrip() for line in lines)
    return text.encode(errors="backslashreplace").decode()  # as files need it


def console_for(config: pytest.Config) -> Console:
    """Returns a console that has colours where pytest would have them."""
    if not config.pluginmanager.has_plugin("terminalreporter"):
        return Console()
    if config.get_terminal_writer().hasmarkup:
        return Console(force_terminal=True)
    return Console(color_system=None)

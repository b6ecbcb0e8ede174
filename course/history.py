"""Every check of every exercise, in the order in which they were made.

``state.py`` keeps the last result alone. What this file adds is for the finale.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from course.registry import ROOT

BREAK = 30 * 60.0  # seconds; a longer time between two checks was no work


@dataclass(frozen=True)
class Event:
    """One check of one exercise.

    Attributes:
        key: the exercise's key.
        when: seconds since 1970, at the end of the check.
        passed: whether every check held.
        mistake: what was wrong, in one sentence; None if nothing was, or if the code
            was not written yet.
    """

    key: str
    when: float
    passed: bool
    mistake: str | None = None


class History:
    """The events in ``.course/history.jsonl``, one in each line.

    Args:
        steps_dir: the folder with the learner's files.
    """

    def __init__(self, steps_dir: Path = ROOT / "steps") -> None:
        self.path = steps_dir.parent / ".course" / "history.jsonl"

    def add(self, event: Event) -> None:
        """Adds an event at the end.

        Raises:
            OSError: the file cannot be written.
        """
        self.path.parent.mkdir(exist_ok=True)
        line = json.dumps(asdict(event), ensure_ascii=False)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def events(self) -> list[Event]:
        """Reads all events, by their time. Damaged lines are left out."""
        return sorted(self._read(), key=lambda event: event.when)

    def _read(self) -> Iterator[Event]:
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return
        for line in lines:
            with suppress(ValueError, TypeError):
                yield Event(**json.loads(line))


def seconds_by_exercise(events: list[Event]) -> dict[str, float]:
    """Returns the time before each exercise's checks, without breaks, by key.

    The time between two checks belongs to the exercise of the second one.
    """
    spent: dict[str, float] = {}
    for before, after in pairwise(events):
        gap = after.when - before.when
        spent[after.key] = spent.get(after.key, 0) + (gap if gap < BREAK else 0)
    return spent


def mended(events: list[Event]) -> dict[str, list[str]]:
    """Returns the mistakes that were followed by a pass, by the exercise's key."""
    met: dict[str, dict[str, None]] = {}
    found: dict[str, list[str]] = {}
    for event in events:
        if event.mistake:
            met.setdefault(event.key, {})[event.mistake] = None
        if event.passed:
            found[event.key] = list(met.get(event.key, {}))
    return found

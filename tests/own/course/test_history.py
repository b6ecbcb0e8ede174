"""What is kept of every check, for the finale."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from course import attempt, cli
from course.grading import Target
from course.history import BREAK, Event, History, mended, seconds_by_exercise
from course.process import WorkerProcess
from course.registry import find_exercise
from course.state import Progress


def test_events_come_back_in_order_and_damage_costs_a_line(tmp_path: Path) -> None:
    history = History(tmp_path / "steps")
    assert history.events() == []
    late, early = Event("s02", 9.0, True), Event("s01", 1.0, False, "Wrong √D.")
    history.add(late)
    with history.path.open("a") as file:
        file.write('{"key": "s03"\n[1]\n{"key": "s04", "other": 1}\n')
    history.add(early)
    assert history.events() == [early, late]


def test_breaks_are_no_work() -> None:
    times = [0.0, 60.0, 60.0 + BREAK, 100.0 + BREAK]
    keys = ["s01", "s02", "s02", "s01"]
    events = [Event(k, t, True) for k, t in zip(keys, times, strict=True)]
    assert seconds_by_exercise(events) == {"s02": 60.0, "s01": 40.0}


def test_a_mistake_counts_once_and_once_it_is_mended() -> None:
    events = [
        Event("s01", 1, False, "a"),
        Event("s01", 2, False, "b"),
        Event("s01", 3, False, "a"),
        Event("s01", 4, True),
        Event("s02", 5, False, "c"),
    ]
    assert mended(events) == {"s01": ["a", "b"]}


def test_each_check_is_kept_with_its_mistake(solved_steps: Path) -> None:
    step, exercise = solved_steps / "step_01.py", find_exercise("1")
    right = step.read_text()
    for text in (right.replace("n_layer: int = 12", "n_layer: int = 11"), right):
        step.write_text(text)
        progress, target = Progress(solved_steps), Target(steps_dir=solved_steps)
        attempt.Attempt(exercise, target, progress, WorkerProcess()).run_all()
    wrong, mended_one = History(solved_steps).events()
    assert (wrong.key, wrong.passed, mended_one.passed) == ("s01", False, True)
    assert wrong.mistake
    assert mended_one.mistake is None
    assert Progress(solved_steps).status(exercise) == "passed"


def test_the_finale_waits_for_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    words = ["finale", "--steps-dir", str(tmp_path)]
    result = CliRunner().invoke(cli.main, words)
    assert result.exit_code == 1
    assert "Step 01 · Configuration does not pass yet" in result.output

"""Numbers, figures, reports and printed output in the book are those of the code."""

import json
import re
from typing import Any

import pytest

from book import examples, reports
from book.pages import FIGURES, NUMBERS, REPORTS, SRC, key_of
from course.process import WorkerProcess
from course.registry import Exercise, load_registry

pytest.importorskip("matplotlib", reason="figures are drawn with Matplotlib")

from book.figures.__main__ import computed, drawn, load, names
from book.figures.style import VARIABLES

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
PIXEL = 0.75
RELATIVE = 1e-3


def last_place(number: str) -> float:
    """The value of one unit of the last digit: a number may be rounded either way."""
    return 1.01 * 10.0 ** -len(number.partition(".")[2])


def alike(a: str, b: str, tolerance: Any) -> bool:
    """Whether two texts differ at most in their numbers, and there by little."""
    if NUMBER.sub("0", a) != NUMBER.sub("0", b):
        return False
    pairs = zip(NUMBER.findall(a), NUMBER.findall(b), strict=True)
    return all(abs(float(x) - float(y)) <= tolerance(x) for x, y in pairs)


def flat(values: dict[str, Any]) -> dict[str, str]:
    """Each value by its name, tables as their text."""
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}


@pytest.mark.parametrize("name", names())
def test_numbers_and_figures_are_current(name: str) -> None:
    module = load(name)
    stale = [
        figure
        for figure, text in drawn(module).items()
        if not alike((FIGURES / f"{figure}.svg").read_text(), text, lambda _: PIXEL)
    ]
    if (text := computed(module)) is not None:
        kept = flat(json.loads((NUMBERS / f"{key_of(name)}.json").read_text()))
        fresh = flat(json.loads(text))
        assert kept.keys() == fresh.keys()
        stale += [k for k in kept if not alike(kept[k], fresh[k], last_place)]
    assert stale == [], f"python -m book.figures {name}"


def test_numbers_and_figures_have_their_scripts() -> None:
    keys = {key_of(name) for name in names() if hasattr(load(name), "numbers")}
    assert {path.stem for path in NUMBERS.glob("*.json")} == keys


def test_every_figure_is_in_a_page() -> None:
    text = "\n".join(path.read_text() for path in SRC.glob("*.md"))
    shown = set(re.findall(r"\{\{\s*figure\s+([^\s|]+)", text))
    assert {path.stem for path in FIGURES.glob("*.svg")} == shown


@pytest.mark.parametrize("path", sorted(FIGURES.glob("*.svg")), ids=lambda p: p.stem)
def test_figure_follows_the_theme(path) -> None:
    text = path.read_text()
    for color, variable in VARIABLES.items():
        text = text.replace(f"var({variable}, {color})", "")
    assert re.findall(r"(?:fill|stroke): #\w+", text) == []
    assert "<image" not in text
    assert "<style" not in text


@pytest.mark.parametrize("exercise", load_registry(), ids=lambda e: e.key)
def test_reports_are_current(exercise: Exercise, worker: WorkerProcess) -> None:
    asked = reports.wanted().get(exercise.key, [])
    stale = [
        name
        for name, text in reports.record(exercise.key, asked, worker).items()
        if not alike((REPORTS / name).read_text(), text, near)
    ]
    assert stale == [], f"python -m book.reports {exercise.key}"


def near(number: str) -> float:
    """What two processors may differ by."""
    return RELATIVE * abs(float(number)) + 1e-6


def test_every_report_is_in_a_page() -> None:
    shown = {
        reports.report_name(key, name and reports.mistake_of(key, name))
        for key, mistakes in reports.wanted().items()
        for name in mistakes
    }
    assert {path.name for path in REPORTS.glob("*.html")} == shown


@pytest.fixture(scope="module")
def printed() -> dict[str, list[str]]:
    """What the code of every page prints, by page and block."""
    return examples.run(examples.pages())


@pytest.mark.parametrize("page", examples.pages())
def test_code_prints_what_the_page_says(
    page: str, printed: dict[str, list[str]]
) -> None:
    assert examples.differing(page, printed[page]) == []

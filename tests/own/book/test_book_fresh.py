"""Every recorded file is current, and a page shows each."""

import importlib
import pkgutil
import re

import pytest

import book
from book.figures.style import VARIABLES
from book.pages import FIGURES, SRC
from book.recorder import Recorder
from course.dev.recorded import RECORDED, Recorded


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda r: r.name)
def test_everything_recorded_is_current(recorded: Recorded) -> None:
    done = recorded.run(*recorded.sample, check=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_recorder_is_in_the_table() -> None:
    modules = [m.name for m in pkgutil.walk_packages(book.__path__, "book.")]
    found = [getattr(importlib.import_module(m), "RECORDER", None) for m in modules]
    recorders = {r.module for r in found if isinstance(r, Recorder)}
    assert recorders == {r.module for r in RECORDED if r.module.startswith("book.")}


def test_every_figure_is_in_a_page() -> None:
    text = "\n".join(path.read_text() for path in SRC.glob("*.md"))
    shown = set(re.findall(r"\{\{\s*figure\s+([^\s|]+)", text))
    assert {path.stem for path in FIGURES.glob("*.svg")} == shown


@pytest.mark.parametrize("path", sorted(FIGURES.rglob("*.svg")), ids=lambda p: p.stem)
def test_figure_follows_the_theme(path) -> None:
    text = path.read_text()
    for color, variable in VARIABLES.items():
        text = text.replace(f"var({variable}, {color})", "")
    text = re.sub(
        r"<style>(\.d[0-9a-f]+\{[^}]*\})+</style>", "", text
    )  # of its classes
    assert re.findall(r"(?:fill|stroke): #\w+", text) == []
    assert "<image" not in text
    assert "<style" not in text

"""The map of one screen names files that are there."""

import re

from course.registry import ROOT

PATH = re.compile(r"`((?:\w[\w-]*/)+[\w.]*)`")


def test_every_file_on_the_map_exists() -> None:
    named = PATH.findall((ROOT / "ARCHITECTURE.md").read_text())
    assert "course/worker.py" in named
    assert [name for name in named if not (ROOT / name).exists()] == []

"""Reads recorded measurements, and writes a median with its spread."""

import json
from functools import cache
from typing import Any

from course.registry import ROOT

RESULTS = ROOT / "benchmarks" / "results"


@cache
def result(name: str) -> dict[str, Any]:
    """The result of ``python -m benchmarks.NAME --out benchmarks/results``."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def spread(times: dict[str, float], digits: int = 1) -> str:
    """A median with the lowest and the highest."""
    shown = {name: f"{value:.{digits}f}" for name, value in times.items()}
    return "{median} ({low} to {high})".format(**shown)

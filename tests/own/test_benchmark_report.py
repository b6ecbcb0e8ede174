"""The tables and the picture of a benchmark, in the README's and the book's form."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import report
from book.figures import making_it_fast

COMMITTED = making_it_fast.RESULTS / "decode.json"


def spread(middle: float) -> dict[str, float]:
    return {"median": middle, "low": 0.9 * middle, "high": 1.1 * middle}


def rate(name: str, precision: str, batch: int, speed: float, same: int) -> dict:
    return {
        "name": name,
        "precision": precision,
        "batch": batch,
        "tokens_per_second": spread(speed),
        "same_ids": same,
        "ids": 9 * batch,
    }


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A result of two programs: 100 weights, and memory gives 4000 bytes a second."""
    long, place = {"seconds": spread(0.5)}, {"position": 900}
    result = {
        "cpu": "AMD EPYC",
        "cores": 2,
        "day": "2026-11-27",
        "threads": 2,
        "new": 8,
        "weights": 100,
        "read_bytes_per_second": spread(4000),
        "versions": {"ours": "MAX 1", "llama.cpp": "llama-cpp-python 2"},
        "decoding": [
            rate("ours", "float32", 1, 8, 9),
            rate("llama.cpp", "float32", 1, 7, 9),
            rate("llama.cpp", "int8", 1, 30, 4),
            rate("ours", "float32", 8, 21, 72),
        ],
        "prefill": [{"name": "ours", "precision": "float32", **long}],
        "positions": [
            {"name": "ours", "precision": "float32", **place, "milliseconds": spread(7)}
        ],
        "left_out": [{"name": "CTranslate2", "where": "all", "reason": "no Python"}],
    }
    path = tmp_path / "decode.json"
    path.write_text(json.dumps(result))
    return path


def printed(result: dict) -> list[list[str]]:
    """The words of the printed lines."""
    file = StringIO()
    Console(file=file, width=160).print(*report.tables(result), sep="\n")
    lines = file.getvalue().replace("│", " ").splitlines()
    return [line.split() for line in lines]


def test_the_floor_depends_on_the_weights(sample: Path):
    result = report.read(sample)
    floors = [report.floor(result, kind) for kind in ("float32", "bfloat16", "int8")]
    assert floors == [0.1, 0.05, 0.025]


def test_the_printed_tables(sample: Path):
    lines = printed(report.read(sample))
    ours = "float32 ours 8.0 (7.2–8.8) 21.0 (18.9–23.1) 80% 81 of 81"
    assert ours.split() in lines
    assert ["int8", "llama.cpp", "30.0", "(27.0–33.0)", "75%", "4", "of", "9"] in lines
    assert ["float32", "ours", "0.50", "(0.45–0.55)", "7.0", "(6.3–7.7)"] in lines
    assert ["left", "out:", "CTranslate2,", "all:", "no", "Python"] in lines


def test_the_books_tables(sample: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(making_it_fast, "speeds", lambda: report.read(sample))
    assert making_it_fast.decoding()[1:] == [
        ["this course", "float32", "8.0", "7.2 to 8.8", "80 %"],
        ["llama.cpp", "float32", "7.0", "6.3 to 7.7", "70 %"],
        ["llama.cpp", "int8", "30.0", "27.0 to 33.0", "75 %"],
    ]
    assert making_it_fast.batches()[1:] == [["this course", "float32", "8", "21"]]
    assert making_it_fast.prefill()[1:] == [["this course", "float32", "0.50", "1024"]]
    assert making_it_fast.figures()
    assert making_it_fast.numbers()["new"] == "8"


def test_the_book_names_who_is_faster(sample: Path, monkeypatch: pytest.MonkeyPatch):
    result = report.read(sample)
    result["decoding"].append(rate("ours", "int8", 1, 24, 9))
    monkeypatch.setattr(making_it_fast, "speeds", lambda: result)
    assert making_it_fast.fastest()[1:] == [
        ["float32", "1 text", "this course", "8 tokens/s", "8 tokens/s", "100 %"],
        ["int8", "1 text", "llama.cpp", "30 tokens/s", "24 tokens/s", "80 %"],
    ]
    verdict = "This course is the fastest in 1 of these 2 cases."
    assert making_it_fast.verdict() == verdict


def test_the_picture(sample: Path, tmp_path: Path):
    report.plot(report.read(sample), tmp_path)
    assert "<svg" in (tmp_path / "decode.svg").read_text()


def test_the_committed_result(tmp_path: Path):
    result = report.read(COMMITTED)
    assert ("ours", "float32") in report.measured(result)
    assert 1 < 1000 * report.floor(result, "float32") < 100
    report.plot(result, tmp_path)

"""A recorder makes stale files, and no others."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import book.recorder
from book.recorder import Made, Recorder
from book.rounding import alike, last_place

NOW = {"one": "1.25 m", "two": "2.50 m"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with current files. One number is rounded differently."""
    monkeypatch.setattr(book.recorder, "ROOT", tmp_path)
    (tmp_path / "one.txt").write_text("1.24 m")
    (tmp_path / "two.txt").write_text("2.50 m")
    return tmp_path


@pytest.fixture
def recorder(folder: Path) -> Recorder:
    """Records ``NOW``, one file for each name."""
    agree = partial(alike, tolerance=last_place)

    def make(names: list[str]) -> Iterator[Made]:
        for name in names:
            yield Made(name, folder / f"{name}.txt", NOW[name], agree)

    return Recorder("some.module", lambda: list(NOW), make, lambda: folder.glob("*"))


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_what_is_current_stays_as_it_is(recorder: Recorder, folder: Path) -> None:
    before = texts(folder)
    assert recorder.run([], check=True) == recorder.run([], check=False) == 0
    assert texts(folder) == before


@pytest.mark.parametrize("kept", [None, "1.29 m", "1.25 ft", "1 2 3"])
def test_what_is_stale_is_named_and_mended(
    recorder: Recorder,
    folder: Path,
    kept: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = folder / "one.txt"
    path.write_text(kept) if kept else path.unlink()
    before = texts(folder)
    assert recorder.run([], check=True) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("one.txt is stale: ")
    assert line.endswith("python -m some.module one")
    assert texts(folder) == before
    assert recorder.run(["two"], check=True) == 0
    assert recorder.run(["one"], check=False) == 0
    assert texts(folder)["one.txt"] == NOW["one"]
    assert recorder.run([], check=True) == 0


def test_what_nothing_makes_any_more_goes(
    recorder: Recorder, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "three.txt").write_text("3")
    assert recorder.run([], check=True) == 1
    assert capsys.readouterr().out.endswith("python -m some.module\n")
    assert recorder.run(["one"], check=False) == 0
    assert (folder / "three.txt").exists()
    assert recorder.run([], check=False) == 0
    assert not (folder / "three.txt").exists()


@pytest.mark.parametrize("error", [ValueError, KeyError, TypeError])
def test_a_damaged_file_is_stale(folder: Path, error: type[Exception]) -> None:
    def agree(kept: str, fresh: str) -> bool:
        raise error

    assert Made("one", folder / "one.txt", "1", agree).stale


def test_an_unknown_name_is_refused(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["recorder", "four", "--check"])
    with pytest.raises(SystemExit, match=r"no four \(there are one, two\)\.$"):
        recorder.main()

"""``course dev check`` names stale files, and ``refresh`` makes them anew."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from course import cli
from course.dev import commands
from course.dev.recorded import RECORDED, Recorded

SCRIPT = """
import sys
from pathlib import Path
kept = Path(__file__).with_suffix(".txt")
if "--check" not in sys.argv:
    kept.write_text("now")
if kept.read_text() != "now":
    print(f"{kept.name} is stale: python -m {kept.stem}")
    sys.exit(1)
"""


def dev(*arguments: str) -> tuple[int, str]:
    """Runs ``course dev``; returns its exit code and all that it printed."""
    result = CliRunner().invoke(cli.main, ["dev", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replaces the table by three scripts; the last one's file is stale."""
    for name, text in (("figures", "now"), ("goldens", "now"), ("lab", "before")):
        (tmp_path / f"made_{name}.py").write_text(SCRIPT)
        (tmp_path / f"made_{name}.txt").write_text(text)
    table = tuple(
        Recorded(name, f"made_{name}", "a file", apart=name == "goldens")
        for name in ("figures", "goldens", "lab")
    )
    monkeypatch.setattr(commands, "RECORDED", table)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def texts(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted(folder.glob("*.txt"))]


def test_check_names_what_is_stale_and_changes_nothing(recorded: Path) -> None:
    code, said = dev("check")
    assert code == 1
    assert said == "made_lab.txt is stale: python -m made_lab\n"
    assert texts(recorded) == ["now", "now", "before"]
    assert dev("check", "figures")[0] == 0


def test_refresh_makes_what_is_stale(recorded: Path) -> None:
    assert dev("refresh")[0] == 0
    assert texts(recorded) == ["now", "now", "now"]
    assert dev("check")[0] == 0


def test_refresh_only_checks_what_needs_more_than_the_course(recorded: Path) -> None:
    (recorded / "made_goldens.txt").write_text("before")
    code, said = dev("refresh")
    assert code == 1
    assert "made_goldens.txt is stale: python -m made_goldens" in said
    assert texts(recorded) == ["now", "before", "now"]
    assert dev("refresh", "goldens")[0] == 0
    assert texts(recorded) == ["now", "now", "now"]


def test_a_script_that_fails_is_no_success(recorded: Path) -> None:
    (recorded / "made_figures.py").write_text("import sys; sys.exit('no fonts')")
    code, said = dev("check", "figures")
    assert code == 1
    assert "no fonts" in said


def test_an_unknown_record_is_refused() -> None:
    code, said = dev("check", "songs")
    assert code == 2
    assert all(recorded.name in said for recorded in RECORDED)

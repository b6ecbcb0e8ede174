"""The tools notice and undo changes to ``steps/``, and no change breaks a test.

Nothing here needs git: a learner may have the course from a zip file.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course import step_files
from course.registry import ROOT, find_exercise
from course.state import Progress

EXERCISE = find_exercise("10")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes a small course with the files of one exercise; the tools work there."""
    for path in (EXERCISE.skeleton_path, EXERCISE.solution_path):
        (tmp_path / path).parent.mkdir(parents=True)
        shutil.copy(ROOT / path, tmp_path / path)
        end_lines(tmp_path / path, b"\n")
    (tmp_path / "steps").mkdir()
    shutil.copy(tmp_path / EXERCISE.skeleton_path, tmp_path / EXERCISE.step_path)
    monkeypatch.setattr(step_files, "ROOT", tmp_path)
    return tmp_path


def end_lines(path: Path, end: bytes) -> None:
    """Replaces the line endings of a file by this one."""
    path.write_bytes(end.join(path.read_bytes().splitlines()) + end)


def edit(path: Path, pattern: bytes, replacement: bytes) -> None:
    """Replaces a pattern, which must occur in the file."""
    text = path.read_bytes()
    assert re.search(pattern, text)
    path.write_bytes(re.sub(pattern, replacement, text))


@pytest.mark.parametrize("edits", [[], [(rb"\n", rb"\r\n")], [(rb"\n", rb"\r")]])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n", b"\r\n", b"\n    \n"])
def test_untouched_skeleton_is_to_do(folder: Path, edits: list, end: bytes) -> None:
    path = folder / EXERCISE.step_path
    for pattern, replacement in [*edits, (rb"\s+\Z", end)]:
        edit(path, pattern, replacement)
    assert Progress(folder / "steps").status(EXERCISE) == "to do"


@pytest.mark.parametrize(
    "change",
    [(rb"sublayer", rb"layer"), (rb"\n    raise", rb"\n  raise"), (rb"\n\n", rb"\n")],
)
def test_edited_skeleton_is_not_to_do(
    folder: Path, change: tuple[bytes, bytes]
) -> None:
    edit(folder / EXERCISE.step_path, *change)
    assert Progress(folder / "steps").status(EXERCISE) == "changed"


def test_reset_keeps_a_backup(folder: Path) -> None:
    path = folder / EXERCISE.step_path
    path.write_text("my work\n")
    backup = step_files.reset(EXERCISE)
    assert backup is not None
    assert backup.read_text() == "my work\n"
    assert path.read_bytes() == (folder / EXERCISE.skeleton_path).read_bytes()
    with pytest.raises(step_files.StepFileError, match="untouched"):
        step_files.reset(EXERCISE)
    path.write_text("other work\n")
    second = step_files.reset(EXERCISE)
    assert second != backup
    assert backup.exists()


def test_reset_makes_a_missing_file(folder: Path) -> None:
    path = folder / EXERCISE.step_path
    path.unlink()
    assert step_files.reset(EXERCISE) is None
    assert Progress(folder / "steps").status(EXERCISE) == "to do"


def test_reset_without_a_skeleton_changes_nothing(folder: Path) -> None:
    (folder / EXERCISE.skeleton_path).unlink()
    path = folder / EXERCISE.step_path
    path.write_text("my work\n")
    assert Progress(folder / "steps").status(EXERCISE) == "changed"
    with pytest.raises(step_files.StepFileError, match="fresh copy"):
        step_files.reset(EXERCISE)
    assert path.read_text() == "my work\n"


def test_compare_aligns_equal_lines(folder: Path) -> None:
    rows = step_files.compare(EXERCISE)
    assert any(yours == theirs != "" for yours, theirs in rows)
    assert any(yours != theirs for yours, theirs in rows)
    theirs = [line for _, line in rows if line]
    assert theirs == [line for line in EXERCISE.solved.splitlines() if line]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Makes a whole course, as unzipped on Windows, in which a learner has begun.

    Step 02 is solved, 04 is no valid Python, 05 is deleted.
    """
    unused = shutil.ignore_patterns(".*", "__pycache__", "build", "book", "checkpoints")
    root = tmp_path_factory.mktemp("learner") / "course"
    shutil.copytree(ROOT, root, ignore=unused)
    shutil.copytree(root / "course/skeletons", root / "steps", dirs_exist_ok=True)
    (root / "steps/step_02.py").write_text(find_exercise("02").solved)
    (root / "steps/step_04.py").write_text("def forward(:\n")
    (root / "steps/step_05.py").unlink()
    for path in (p for kind in ("py", "toml") for p in root.rglob(f"*.{kind}")):
        end_lines(path, b"\r\n")
    return root


def run_python(root: Path, *arguments: str) -> str:
    """Runs a module in a course, as on a learner's machine; returns its output."""
    env = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_begun_course_knows_how_far_it_is(begun: Path) -> None:
    rows = json.loads(run_python(begun, "course", "progress", "--json"))
    states = {row["key"]: row["status"] for row in rows}
    begun_states = [states.pop(f"s{number:02}") for number in range(1, 6)]
    assert begun_states == ["to do", "passed", "to do", "failed", "missing"]
    assert set(states.values()) == {"to do"}
    said = run_python(begun, "course", "next")
    assert said.startswith("Step 01")
    assert "Before it stands an encore: Tokenizer" in said


def test_begun_course_can_be_compared_and_reset(begun: Path) -> None:
    assert "solution" in run_python(begun, "course", "diff", "4", "--force")
    assert "is the skeleton again" in run_python(begun, "course", "reset", "5")


def test_begun_course_passes_the_tests_of_its_skeletons(begun: Path) -> None:
    tests = Path(__file__).with_name("test_skeletons.py").relative_to(ROOT)
    assert " passed" in run_python(begun, "pytest", "-q", str(tests))

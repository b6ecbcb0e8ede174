"""Folders as other machines have them: links, read-only ones, files of known names."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from book import render, serving
from book.pages import BUILD, BookError
from course import cli, doctor, foreign, step_files
from course.grading import Grading, Target
from course.process import WorkerProcess
from course.registry import ROOT, find_exercise
from course.state import Progress
from runtime import compilation_cache, kernel_batches
from runtime.child_python import python_command, search_after_packages
from tests.own.course.running import pytest_run
from tests.own.course.test_programs import run

CHECK = ("tests/test_step_01.py", "--solutions")
SHADOWS = ["random", "token", "types", "string", "re", "enum", "inspect", "typing"]


@pytest.fixture
def link(tmp_path: Path) -> Path:
    """A symbolic link to the course."""
    path = tmp_path / "link"
    path.symlink_to(ROOT)
    return path


@pytest.fixture
def shadows(tmp_path: Path) -> Path:
    """A folder whose files have names of modules; importing one ends Python."""
    for name in [*SHADOWS, "numpy", "click"]:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name} was taken')")
    return tmp_path


def test_a_check_is_found_through_a_link(link: Path) -> None:
    """VS Code names the folder that was opened: ``--rootdir=/abs/link``."""
    checker = str(link / CHECK[0])
    code, text = pytest_run(f"--rootdir={link}", checker, "--solutions")
    assert code == 0
    assert "Passed in" in text


def test_checkers_found_through_a_link_have_a_worker_each(
    link: Path, solved_steps: Path
) -> None:
    checkers = [str(link / f"tests/test_step_{n}.py") for n in ("01", "10")]
    code, text = pytest_run(*checkers, "--steps-dir", str(solved_steps))
    assert code == 0
    assert text.count("Passed in") == 2


def test_a_program_where_the_current_folder_was_deleted(tmp_path: Path) -> None:
    script = f"cd {tmp_path} && rmdir {tmp_path} && exec s01 --solutions"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path}
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True)
    assert "Passed in" in done.stdout


def test_the_worker_takes_no_module_from_the_courses_folder(
    shadows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("course.process.ROOT", shadows)
    with closing(WorkerProcess()) as worker:
        grading = Grading(find_exercise("01"), Target(solutions=True), worker)
        assert [o.state for o in grading.run_all()] == ["passed"] * 7


def test_another_python_takes_no_module_from_the_current_folder(shadows: Path) -> None:
    command = python_command("import random, numpy, course.worker; print('good')")
    done = subprocess.run(
        command, cwd=shadows, env=dict(os.environ), capture_output=True, text=True
    )
    assert done.stdout == "good\n"


def test_pytest_takes_no_package_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('numpy was taken')")
    command = [sys.executable, "-m", "pytest", str(ROOT / CHECK[0]), CHECK[1]]
    done = subprocess.run(
        command, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True
    )
    assert "Passed in" in done.stdout


@pytest.mark.parametrize("name", SHADOWS)
def test_a_listed_folder_that_hides_a_module_of_python(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / f"{name}.py").write_text("raise SystemExit('taken')")
    program = {"token": "gpt2", "re": "book", "types": "s01"}.get(name, "course")
    code, text = run(program, PYTHONPATH=str(tmp_path))
    assert code == 1
    assert text.startswith(f"✗ {name} would come from {tmp_path}, not from Python.")
    assert len(text.splitlines()) == 1


def test_folders_that_hide_nothing(tmp_path: Path) -> None:
    """Many projects have a package ``test``; Python has loaded ``os`` already."""
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "__init__.py").touch()
    (tmp_path / "os.py").touch()
    (tmp_path / "random").mkdir()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "random.cpython-313.pyc").touch()
    assert foreign.hidden_of_python(str(tmp_path)) == []
    (tmp_path / "wave.pyc").touch()  # Python runs it although its source is gone
    assert foreign.hidden_of_python(str(tmp_path)) == ["wave"]


def test_a_file_max_hides_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "max.py").touch()
    monkeypatch.setattr(foreign, "ROOT", str(tmp_path))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (found,) = foreign.foreign_packages()
    assert str(found).startswith(f"max would come from {tmp_path}, not from the course")


def test_doctor_names_what_python_m_would_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wave.py").touch()
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    assert doctor.look_at_folder().text.startswith("wave in it")


@pytest.fixture
def unwritable(solved_steps: Path) -> Path:
    """Solved steps whose results nobody can write, not even the administrator."""
    (solved_steps.parent / ".course").touch()
    return solved_steps


def test_the_report_comes_although_the_result_cannot_be_kept(unwritable: Path) -> None:
    code, text = pytest_run(
        "tests/test_step_10.py", "--steps-dir", str(unwritable), COLUMNS="300"
    )
    assert code == 0
    assert "Passed in" in text
    assert "this result is not kept:" in text
    assert "INTERNALERROR" not in text


def test_results_that_cannot_be_kept_are_known_to_the_process(unwritable: Path) -> None:
    progress = Progress(unwritable)
    for name in ("1", "10"):
        exercise = find_exercise(name)
        progress.record(exercise, progress.digest(exercise), passed=True, seconds=0.1)
    assert [progress.status(find_exercise(n)) for n in ("1", "10")] == ["passed"] * 2
    assert "state.json cannot be written" in progress.not_kept


def test_a_step_that_cannot_be_read_is_no_end(unwritable: Path) -> None:
    step = unwritable / "step_10.py"
    step.unlink()
    step.mkdir()
    assert Progress(unwritable).status(find_exercise("10")) == "failed"
    code, text = pytest_run("tests/test_step_10.py", "--steps-dir", str(unwritable))
    assert code == 1
    assert "IsADirectoryError" in text


def test_a_file_that_cannot_be_replaced_gets_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(exercise: object) -> None:
        raise PermissionError(13, "Permission denied", "steps/step_08.py")

    monkeypatch.setattr(step_files, "reset", refuse)
    result = CliRunner().invoke(cli.main, ["reset", "8"])
    assert result.exit_code == 1
    assert result.output == "✗ steps/step_08.py: Permission denied.\n"


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.delenv("MODULAR_CACHE_DIR", raising=False)
    assert compilation_cache.cache_folder() == Path("/.cache/modular/gpt2-on-max")


def test_doctor_without_a_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODULAR_CACHE_DIR", "/nowhere/at/all")
    assert doctor.look_at_disk().topic == "disk"


def test_the_book_where_this_user_may_not_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built: list[Path] = []
    monkeypatch.setattr(render.os, "access", lambda *_: False)
    with pytest.raises(BookError, match="cannot be written"):
        render.build_pages(BUILD)
    monkeypatch.setattr(
        serving, "build_pages", lambda folder, **_: built.append(folder)
    )
    monkeypatch.setattr(serving, "serve_folder", lambda *_, **__: None)
    serving.serve(0, opens=False)
    assert built != [BUILD]


def test_kernels_that_somebody_compiled_for_all_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_batches, "batch_path", lambda _: tmp_path / "needed.mef")
    monkeypatch.setattr(kernel_batches.os, "access", lambda *_: False)
    (tmp_path / "needed.mef").touch()
    kernel_batches.compile_batch("needed")
    assert [path.name for path in tmp_path.iterdir()] == ["needed.mef"]


def test_own_folders_come_before_those_of_another_checkout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The environment may belong to the checkout from which this one was copied."""
    monkeypatch.setattr(sys, "path", ["/here", "/lib", "/env/site-packages", "/other"])
    search_after_packages(["/here"])
    assert sys.path == ["/lib", "/env/site-packages", "/here", "/other"]

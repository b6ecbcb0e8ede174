"""Exercises in Mojo: their files, and what a learner reads when something is wrong."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from course import mojo_module
from course.grading import Grading, Target
from course.messages import Load
from course.mojo_module import MojoText, MojoToDo, definitions, make_modules
from course.outcomes import Outcome
from course.process import WorkerProcess
from course.registry import ROOT, Exercise, load_registry
from course.student import Student
from runtime.mojo_library import MojoError, load_library

IN_MOJO = [exercise for exercise in load_registry() if not exercise.in_python]
KERNEL = IN_MOJO[0]
SHORTEST_ANSWER = 16  # characters without spaces; anything shorter is no answer
Grade = Callable[[str], list[Outcome]]

every = pytest.mark.parametrize("exercise", IN_MOJO, ids=lambda e: e.key)


def read(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def interface(text: str) -> list[str]:
    """Returns a function's first lines and docstring."""
    return text.partition('"""')[0].split() + text.split('"""')[1].split()


def squeeze(text: str) -> str:
    return re.sub(r"[\s#`]+", "", text)


def answers(exercise: Exercise) -> list[str]:
    """Returns the lines of a solution's functions, without docstrings."""
    found = definitions(read(exercise.solution_path))
    bodies = [found[name].split('"""')[-1] for name in exercise.symbols]
    lines = [line for body in bodies for line in body.splitlines()]
    squeezed = [squeeze(line) for line in lines if not line.strip().startswith("def ")]
    return [line for line in squeezed if len(line) > SHORTEST_ANSWER]


@pytest.mark.parametrize("between", ["\n", "\n\n", "\n\n\n", "\nONE = 1\n"])
def test_definitions(between: str) -> None:
    first = "def one(\n    a: Int\n) raises:\n\n    def inner():\n        pass"
    found = definitions(f"import x\n{first}{between}def two():\n    pass\n")
    assert found.keys() == {"", "one", "two"}
    assert f"def one{found['one']}" == first
    assert "import x" in found[""]
    assert ("ONE" in between) == ("ONE" in found[""])


@every
def test_interface(exercise: Exercise) -> None:
    skeleton = definitions(read(exercise.skeleton_path))
    solution = definitions(read(exercise.solution_path))
    assert skeleton.keys() == solution.keys() == {"", *exercise.symbols}
    for name in exercise.symbols:
        assert interface(skeleton[name]) == interface(solution[name])


@every
def test_no_answer_in_skeleton_or_first_hints(exercise: Exercise) -> None:
    given = [squeeze(read(exercise.skeleton_path)), *map(squeeze, exercise.hints[:2])]
    leaks = [line for line in answers(exercise) for text in given if line in text]
    assert leaks == []


@every
def test_blanks_say_what_to_do(exercise: Exercise) -> None:
    text = MojoText("skeleton", read(exercise.skeleton_path), exercise.symbols)
    (module,) = make_modules("skeleton", [text], "a skeleton")
    y, x, w = np.zeros(2, np.float32), np.ones(3, np.float32), np.ones((2, 3))
    for name in exercise.symbols:
        with pytest.raises(MojoToDo, match=r"^[A-Z].{15,}\.$") as raised:
            getattr(module, name)(y, x, w.astype(np.float32))
        assert "to do: " in raised.value.place[2]


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerProcess]:
    started = WorkerProcess()
    yield started
    started.close()


@pytest.fixture
def grade(tmp_path: Path, worker: WorkerProcess) -> Grade:
    """Grades a text of the kernel."""

    def grade(text: str) -> list[Outcome]:
        (tmp_path / KERNEL.step_path.name).write_text(text)
        usable = worker if worker.process.poll() is None else WorkerProcess()
        grading = Grading(KERNEL, Target(steps_dir=tmp_path), usable)
        found = list(grading.run_all())
        if usable is not worker:
            usable.close()
        return found

    return grade


def edited(find: str, replace: str) -> str:
    text = KERNEL.solved
    assert text.count(find) == 1
    return text.replace(find, replace)


def test_an_error_names_the_learners_line(grade: Grade) -> None:
    first, *_ = grade(edited("    return sum\n", "    return smu\n"))
    assert first.message == (
        "Mojo cannot compile the file: use of unknown declaration 'smu'."
    )
    assert first.failure is not None
    ((file, _, text),) = first.failure.frames
    assert (Path(file).name, text) == ("encore_kernel.mojo", "return smu")


@pytest.mark.parametrize(
    ("find", "replace", "told"),
    [
        ("def plain(y: Ptr, x: Ptr,", "def plain(x: Ptr,", "plain does not have the"),
        ("def plain(", "def simple(", "does not define plain"),
    ],
)
def test_another_interface(grade: Grade, find: str, replace: str, told: str) -> None:
    first, *_ = grade(edited(find, replace))
    assert first.state == "failed"
    assert told in first.message


def test_a_crash_is_one_sentence(grade: Grade) -> None:
    wild = edited("w.unsafe_offset(i * ins), x", "w.unsafe_offset(i << 40), x")
    outcomes = grade(wild)
    (failed,) = [outcome for outcome in outcomes if outcome.state == "failed"]
    assert failed.message.startswith("The kernel crashed: it reads or writes far")
    assert {o.state for o in outcomes} == {"passed", "failed", "not run"}


def test_a_library_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = MojoText("solution", read(KERNEL.solution_path), KERNEL.symbols)
    make_modules("first", [text], "a library")
    monkeypatch.setattr("runtime.mojo_library.build", None)
    (again,) = make_modules("second", [text], "a library")
    y = np.zeros(2, np.float32)
    again.matvec(y, np.ones(3, np.float32), np.full((2, 3), 2, np.float32))
    assert y.tolist() == [6, 6]


def test_a_library_that_cannot_be_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MODULAR_CACHE_DIR", str(tmp_path / "file"))
    main = '@export\ndef three() abi("C") -> Int:\n    return 3\n'
    assert load_library({"main": main}, "three", mojo_module.announce[0]).three() == 3


def test_first_error() -> None:
    main = "def f() -> Int:\n    return smu\n"
    with pytest.raises(MojoError, match="smu") as raised:
        load_library({"main": main}, "an error", mojo_module.announce[0])
    assert (raised.value.filename, raised.value.lineno) == ("main", 2)


def test_solutions_can_be_imported() -> None:
    with closing(WorkerProcess()) as worker:
        student = Student(worker, Load(KERNEL.solution_module), 60, tensors=False)
        for name in KERNEL.symbols:
            assert student.module.get(name).type_name == "MojoFunction"

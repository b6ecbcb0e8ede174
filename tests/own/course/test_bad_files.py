"""Whatever a learner's file does, the verdict is clear and right."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from course.attempt import Attempt
from course.grading import Target
from course.messages import Load
from course.process import WorkerProcess
from course.registry import find_exercise
from course.report import Report
from course.state import Progress
from course.student import Student

PASS, FAIL = True, False


@pytest.fixture(scope="module")
def workers() -> Iterator[list[WorkerProcess]]:
    """Workers that tests share: their code changes nothing in a worker, or ends it."""
    started: list[WorkerProcess] = []
    yield started
    for worker in started:
        worker.close()


@pytest.fixture
def worker(workers: list[WorkerProcess]) -> WorkerProcess:
    """Returns the last shared worker, or a new one if the last has ended."""
    if not workers or workers[-1].process.poll() is not None:
        workers.append(WorkerProcess())
    return workers[-1]


def grade(
    folder: Path,
    key: int | str,
    *,
    limit: float = 60.0,
    mine: bool = False,
    worker: WorkerProcess | None = None,
) -> tuple[bool, str]:
    """Grades a step; returns whether it passed and the report in one line."""
    console = Console(file=io.StringIO(), width=88, record=True)
    attempt = Attempt(
        find_exercise(str(key)),
        Target(steps_dir=folder, limit=limit),
        Progress(folder),
        worker or WorkerProcess(),
        report=Report(console),
        mine=mine,
        closes=worker is None,
    )
    passed = attempt.run_all()
    return passed, " ".join(console.export_text().split())


def write(folder: Path, number: int, text: str) -> None:
    (folder / f"step_{number:02}.py").write_text(text)


def add(folder: Path, number: int, *, before: str = "", after: str = "") -> None:
    """Puts code before and after a right answer."""
    path = folder / f"step_{number:02}.py"
    path.write_text(f"{before}\n{path.read_text()}\n{after}")


RESIDUAL = "def pre_norm_residual(x, norm, sublayer):\n    {}\n"

BAD_BODIES = {
    "none": ("pass", "not a MAX tensor"),
    "a number": ("return 3", "not a MAX tensor"),
    "numpy": ("return x.to_numpy()", "not a MAX tensor"),
    "wrong shape": ("return x.reshape([-1])", "wrong shape"),
    "exit": ("import sys; sys.exit(0)", "sys.exit"),
    "hard exit": ("import os; os._exit(0)", "ended the Python process"),
    "crash": ("import ctypes; ctypes.string_at(0)", "crashed"),
    "recursion": ("return pre_norm_residual(x, norm, sublayer)", "without end"),
    "input": ("return input()", "waits for input"),
    "debugger": ("breakpoint()", "Take out breakpoint()"),
    "exception": ("raise KeyError('lost')", "KeyError"),
    "memory": ("import numpy; numpy.ones(10**14)", "memory"),
    "closed output": ("import sys; sys.stdout.close(); return x", "numbers"),
    "endless": ("while True: pass", "did not finish within"),
    "to do": ("raise NotImplementedError('Add the input.')", "to do: Add the input."),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_body(solved_steps: Path, worker: WorkerProcess, name: str) -> None:
    body, verdict = BAD_BODIES[name]
    write(solved_steps, 10, RESIDUAL.format(body))
    passed, text = grade(solved_steps, 10, limit=3, worker=worker)
    assert passed is FAIL
    assert verdict in text
    assert "Traceback" not in text


BAD_FILES = {
    "not Python": ("def (:", "Python cannot read the file"),
    "missing name": ("x = 1\n", "does not define pre_norm_residual"),
    "wrong signature": ("def pre_norm_residual(x): return x\n", "TypeError"),
    "missing import": ("import no_such_package\n", "no_such_package"),
    "exit at import": ("import sys; sys.exit(0)\n", "sys.exit"),
    "empty": ("", "does not define pre_norm_residual"),
    "binary": ("\0\1", "Python cannot read the file"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file(solved_steps: Path, worker: WorkerProcess, name: str) -> None:
    content, verdict = BAD_FILES[name]
    write(solved_steps, 10, content)
    passed, text = grade(solved_steps, 10, worker=worker)
    assert passed is FAIL
    assert verdict in text
    assert "Traceback" not in text


def test_missing_file(solved_steps: Path) -> None:
    (solved_steps / "step_10.py").unlink()
    passed, text = grade(solved_steps, 10)
    assert passed is FAIL
    assert "There is no file" in text


def test_deleted_function(solved_steps: Path) -> None:
    add(solved_steps, 10, after="del pre_norm_residual")
    passed, text = grade(solved_steps, 10)
    assert passed is FAIL
    assert "does not define pre_norm_residual" in text


def test_right_code_that_prints_megabytes_passes(solved_steps: Path) -> None:
    add(solved_steps, 10, before="print('chatter ' * 500_000)")
    passed, text = grade(solved_steps, 10)
    assert passed is PASS
    assert "your code printed (the beginning)" in text
    assert len(text) < 6000


def test_what_max_writes_is_not_the_codes_own_output(solved_steps: Path) -> None:
    add(solved_steps, 10, before="import os; print('mine'); os.write(2, b'a dump')")
    _, text = grade(solved_steps, 10)
    assert "your code printed: mine" in text
    assert "a dump" not in text


def test_the_output_of_known_mistakes_is_dropped(solved_steps: Path) -> None:
    add(solved_steps, 10, after="def speak():\n    print('mine')")
    exercise, worker = find_exercise("10"), WorkerProcess()
    mine = Student(worker, Load(exercise.step_module, steps_dir=str(solved_steps)), 60)
    talks = "print('theirs')\ndef call(f):\n    print('theirs too')\n    f()\n"
    theirs = Student(worker, Load(exercise.solution_module, source=talks), 60)
    theirs.module.call("call", theirs.hold(print))
    mine.module.call("speak")
    worker.close()
    assert worker.output == "mine\n"


# Rewrites the encore so that one layer's memory is an object with two attributes.
WITH_NAMES = {
    "past[0]": "past.key",
    "past[1]": "past.value",
    "(attended)), (key, value)": "(attended)), Memory(key, value)",
    "cache[0][0]": "cache[0].key",
}
TUPLE = "from typing import NamedTuple\n\nclass Memory(NamedTuple):"
DATACLASS = "import dataclasses\n\n@dataclasses.dataclass\nclass Memory:"


def remember(steps: Path, head: str) -> tuple[bool, str]:
    """Grades a KV cache whose memory is of a class that begins like this."""
    path = steps / find_exercise("kv-cache").step_path.name
    text = path.read_text()
    for old, new in WITH_NAMES.items():
        assert old in text
        text = text.replace(old, new)
    first, rest = text.split("\nfrom math import sqrt\n")
    fields = "\n    key: object\n    value: object\n"
    path.write_text(f"{first}\nfrom math import sqrt\n{head}{fields}{rest}")
    return grade(steps, "kv-cache")


def test_a_memory_may_be_a_named_tuple(solved_steps: Path) -> None:
    passed, text = remember(solved_steps, TUPLE)
    assert passed is PASS, text


def test_a_memory_of_another_class_gets_a_clear_sentence(solved_steps: Path) -> None:
    passed, text = remember(solved_steps, DATACLASS)
    assert passed is FAIL
    assert "The result is not a pair: a key, and a value." in text
    assert "yours dataclass Memory" in text


def test_results_of_a_subclass_are_sent_as_plain_values(solved_steps: Path) -> None:
    before = "import enum\n\nclass Id(enum.IntEnum):\n    ONE = 1\n\n"
    before += "class Name(str): pass\n\nclass Row(list): pass\n"
    after = "def give():\n    return Row([Id.ONE, Name('x')])"
    add(solved_steps, 10, before=before, after=after)
    load = Load(find_exercise("10").step_module, steps_dir=str(solved_steps))
    worker = WorkerProcess()
    given = Student(worker, load, 60).module.call("give")
    worker.close()
    assert [type(given), *map(type, given)] == [list, int, str]


def test_right_code_with_an_endless_thread_passes(solved_steps: Path) -> None:
    thread = "import threading, time\n"
    thread += "threading.Thread(target=lambda: time.sleep(1e6)).start()"
    add(solved_steps, 10, before=thread)
    assert grade(solved_steps, 10)[0] is PASS


def test_patching_the_libraries_does_not_help(solved_steps: Path) -> None:
    patch = "import numpy as np, solutions.solution_10 as s\n"
    patch += "np.allclose = np.array_equal = lambda *a, **k: True\n"
    patch += "s.pre_norm_residual = lambda x, norm, sublayer: x\n"
    write(solved_steps, 10, patch + RESIDUAL.format("return x"))
    assert grade(solved_steps, 10)[0] is FAIL


def test_changing_an_input_is_a_mistake(solved_steps: Path) -> None:
    body = "x[:, 0:1] = x[:, 0:1] * 2.0; return x + sublayer(norm(x))"
    write(solved_steps, 10, RESIDUAL.format(body))
    passed, text = grade(solved_steps, 10)
    assert passed is FAIL
    assert "writes into its inputs" in text


def test_importing_the_solution_is_said_aloud(solved_steps: Path) -> None:
    write(solved_steps, 10, "from solutions.solution_10 import pre_norm_residual\n")
    passed, text = grade(solved_steps, 10)
    assert passed is PASS
    assert "imports solutions.solution_10" in text


def test_an_exception_inside_max_names_the_line_and_the_shapes(
    solved_steps: Path,
) -> None:
    path = solved_steps / "step_08.py"
    path.write_text(path.read_text().replace("key.transpose(-1, -2)", "key"))
    passed, text = grade(solved_steps, 8)
    assert passed is FAIL
    assert "scores = query @ key / sqrt(head_size)" in text
    assert "query is float32 [" in text


def test_unfinished_earlier_steps_are_borrowed(solved_steps: Path) -> None:
    write(
        solved_steps,
        2,
        "def causal_mask(*a, **k):\n    raise NotImplementedError('Later.')\n",
    )
    passed, text = grade(solved_steps, 8)
    assert passed is PASS
    assert "borrowed from solutions: step 02" in text
    passed, text = grade(solved_steps, 8, mine=True)
    assert passed is FAIL
    assert "to do: Later." in text


def test_a_borrowed_step_calls_the_learners_finished_ones(solved_steps: Path) -> None:
    write(solved_steps, 9, "def later(:")
    add(solved_steps, 8, after="print('my step 08')")
    passed, text = grade(solved_steps, 11)
    assert passed is PASS
    assert "borrowed from solutions: step 09" in text
    assert "your code printed: my step 08" in text

"""``--mine`` runs the learner's finished steps, and borrows the others."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from course.commands import typed
from course.registry import Exercise, find_exercise, load_registry
from course.state import Progress
from gpt2.checkpoint.loading import load_checkpoint
from gpt2.learner.borrowing import begun, borrow, finished, listed
from gpt2.learner.observing import Observer
from gpt2.learner.tracing import build
from gpt2.open_engine import open_engine
from tests.own.gpt2.samples import POSITIONS

KEYS = [exercise.key for exercise in load_registry()]
STEPS = [exercise for exercise in load_registry() if exercise.is_step]
GREEDY = ("Once upon a time", "--greedy", "--max-new-tokens", "2", "--json")


@pytest.fixture
def desk(steps: Callable, passed: Callable) -> Callable[..., Path]:
    """Makes a folder in which some exercises are solved and recorded as passed."""

    def make(*keys: str) -> Path:
        exercises = [find_exercise(key) for key in keys]
        folder = steps(**{"__init__": ""})
        for exercise in exercises:
            (folder / exercise.step_path.name).write_text(exercise.solved)
        if "01" not in keys and "s01" not in keys:
            (folder / "step_01.py").unlink()
        passed(folder, *exercises)
        return folder

    return make


@pytest.fixture
def written(run: Callable, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Returns the ids that the embedded model writes, whose graph is compiled."""
    monkeypatch.setattr("gpt2.writer.open_engine", open_engine)

    def ids(*options: str) -> list[int]:
        result = run(*GREEDY, "--model", "tiny-stories", *options)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)["ids"]

    return ids


# Every stage of the course writes what the finished model writes


def add(folder: Path, exercise: Exercise, passed: Callable) -> None:
    """Solves an exercise, as far as the records say."""
    (folder / exercise.step_path.name).write_text(exercise.solved)
    passed(folder, exercise)


@pytest.mark.parametrize("seed", range(3))
def test_every_stage_writes_the_same_text(desk, passed, written, seed) -> None:
    """The 14 solutions are copied one by one, in an order of their own."""
    expected, folder = written(), desk()
    steps = random.Random(seed).sample(STEPS, len(STEPS))
    for count, step in enumerate([None, *steps]):
        if step:
            add(folder, step, passed)
        assert written("--mine", "--steps-dir", str(folder)) == expected, steps[:count]
        assert len(borrow(folder).own) == count
    for encore in (e for e in load_registry() if not e.is_step):
        add(folder, encore, passed)
        assert written("--mine", "--steps-dir", str(folder)) == expected
        assert written("--mine", "--strict", "--steps-dir", str(folder)) == expected


# A place in each step, and a mistake there that runs and changes the text.
WRONG = {
    "s02": ("hidden, None, num_tokens", "hidden, 0, num_tokens"),
    "s03": ("self.weight + self.bias", "self.weight - 9 * x"),
    "s04": ("return self.c_proj", "return -9 * self.c_proj"),
    "s05": ("return F.gather(self.weight", "return 9 * F.gather(self.weight"),
    "s06": ("return F.gather(self.weight", "return -9 * F.gather(self.weight"),
    "s08": ("sqrt(head_size)", "-0.1"),
    "s09": ("return self.c_proj", "return -9 * self.c_proj"),
    "s10": ("x + sublayer", "x - 9 * sublayer"),
    "s12": ("x = block(x)", "x = -block(x)"),
    "s13": ("return hidden @", "return -hidden @"),
    "s14": ("F.argmax(logits", "F.argmax(-logits"),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_stage_with_a_wrong_step_differs(desk, passed, written, key) -> None:
    expected, folder, exercise = written(), desk(), find_exercise(key)
    find, replace = WRONG[key]
    path = folder / exercise.step_path.name
    assert find in exercise.solved
    path.write_text(exercise.solved.replace(find, replace))
    passed(folder, exercise)  # otherwise the solution would take its place
    assert written("--mine", "--steps-dir", str(folder)) != expected


# Whose each step is


def test_what_has_changed_is_graded_first(desk) -> None:
    """This makes real checks: of a right step, of a wrong one, of a skeleton."""
    folder = desk()
    said: list[str] = []
    right, wrong, blank = map(find_exercise, ("10", "13", "14"))
    (folder / "step_10.py").write_text(right.solved)
    (folder / "step_13.py").write_text("def wrong(:")
    (folder / "step_14.py").write_text(blank.skeleton_path.read_text())
    borrowed = borrow(folder, note=said.append)
    assert borrowed.own == ("s10",)
    assert said == ["checking what has changed: steps 10, 13 …"]
    assert Progress(folder).status(wrong) == "failed"
    assert borrow(folder, note=said.append) == borrowed
    assert len(said) == 1  # the records are kept


def test_an_edit_after_a_pass_counts_only_after_a_check(desk) -> None:
    folder = desk("s10", "s13")
    assert finished(folder) == ["s10", "s13"]
    (folder / "step_13.py").write_text("def wrong(:")
    assert finished(folder) == ["s10"]


def test_given_keys_need_no_check(desk) -> None:
    folder = desk("s10")
    (folder / "step_13.py").write_text("1 / 0")
    borrowed = borrow(folder, own=["13"])
    assert borrowed.own == ("s13",)
    assert "s10" in borrowed.borrowed
    assert borrow(folder, own=[]).own == ()


def test_strict_borrows_nothing(desk) -> None:
    folder = desk("s10")
    (folder / "step_13.py").write_text("1 / 0")
    borrowed = borrow(folder, strict=True)
    assert borrowed.own == ("s10", "s13")
    assert borrowed.borrowed == ()
    assert begun(folder) == ["s10", "s13"]


def test_a_borrowed_step_calls_the_learners(desk, folder) -> None:
    """Step 13 is borrowed and holds the learner's step 03, three steps further in."""
    own = desk("s03")
    borrow(own)
    model = build(load_checkpoint(str(folder)), Observer())
    assert type(model).__module__ == "steps.step_13"
    norm = model.transformer.h[0].ln_1
    code = type(norm).forward.__code__
    assert code.co_filename == str(own / "step_03.py")
    assert Path(type(model).forward.__code__.co_filename).name == "solution_13.py"
    assert model.transformer.wpe.weight.shape[0] == POSITIONS


def test_a_later_call_replaces_an_earlier_one(desk) -> None:
    folder = desk("s10")
    borrow(folder)
    from steps import step_10 as own

    borrow(folder, own=[])
    from steps import step_10 as lent

    assert Path(own.__file__ or "").name == "step_10.py"
    assert Path(lent.__file__ or "").name == "solution_10.py"


# What is said


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (["s01", "s02", "s03", "s08"], "yours: steps 01–03, 08; borrowed: the rest"),
        (["s08"], "yours: step 08; borrowed: the rest"),
        (["s01", "sampling"], "yours: step 01, sampling; borrowed: the rest"),
        (["kv-cache"], "yours: kv-cache; borrowed: the rest"),
        ([e.key for e in STEPS], "yours: steps 01–14; borrowed: the rest"),
    ],
)
def test_one_line_says_whose_the_steps_are(desk, keys, sentence) -> None:
    assert borrow(desk(*keys)).sentence() == sentence


def test_the_first_line_names_the_first_command(desk) -> None:
    assert typed("course next") in borrow(desk()).sentence()


def test_when_everything_is_the_learners(desk) -> None:
    said = f"yours: {listed(KEYS)}; borrowed: nothing"
    assert borrow(desk(*KEYS)).sentence() == said


def test_the_command_says_it(run, fake, desk) -> None:
    fake()
    result = run("Once", "--mine", "--steps-dir", str(desk("s03")))
    assert "yours: step 03; borrowed: the rest\n" in result.stderr


# A step that passed and does not run now


def test_a_step_that_passed_and_does_not_run_now(desk, written, passed, run) -> None:
    folder, nine = desk("s08"), find_exercise("09")
    (folder / "step_09.py").write_text(
        nine.solved.replace("compute_attention", "attend")
    )
    (folder / "step_08.py").write_text(
        find_exercise("08").solved.replace("compute_attention", "attend")
    )
    passed(folder, nine)
    (folder / "step_08.py").unlink()  # the solution has no such name
    result = run(*GREEDY, "--mine", "--steps-dir", str(folder))
    assert result.exit_code == 1
    error = result.stderr.partition("Error: ")[2]
    assert error.startswith(
        f"{folder}/step_09.py passed its checks, but does not run here: "
        "ImportError: cannot import name 'attend'"
    )
    assert f"check it with: {typed('s09')}" in error


@pytest.mark.parametrize("option", ["--strict", "--steps-dir=."])
def test_options_that_need_mine(run, option) -> None:
    result = run("Once", option)
    assert result.exit_code == 2
    assert f"{option.partition('=')[0]} needs --mine." in result.stderr

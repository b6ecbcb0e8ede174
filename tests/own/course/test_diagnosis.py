"""A report says the cause only if every check bears it out; else what differs."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from course.checks import CheckFailed, expect_parameters
from course.diagnosis import Diagnoser
from course.grading import Grading, Target, names_not_in
from course.mistakes import Mistake
from course.outcomes import Check, Diagnosis, Outcome
from course.process import WorkerProcess
from course.registry import find_exercise, prerequisites
from course.variables import VariableWatch

Diagnose = Callable[[str, str, str], Diagnosis]


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerProcess]:
    started = WorkerProcess()
    yield started
    started.close()


@pytest.fixture
def diagnose(tmp_path: Path, worker: WorkerProcess) -> Diagnose:
    """Grades a solution in which one text is replaced; returns the diagnosis."""

    def diagnose(name: str, find: str, replace: str) -> Diagnosis:
        exercise = find_exercise(name)
        text = exercise.solved
        assert text.count(find) == 1
        (tmp_path / exercise.step_path.name).write_text(text.replace(find, replace))
        lent = {e.step_module: e.solution_module for e in prerequisites(exercise)}
        grading = Grading(exercise, Target(steps_dir=tmp_path), worker, lent)
        list(grading.run_all())
        assert grading.first_failure is not None
        return grading.first_failure.diagnosis

    return diagnose


@pytest.mark.parametrize(
    ("name", "find", "replace", "symptom"),
    [
        (
            "05",
            "return F.gather(self.weight, input_ids, axis=0)",
            "rows = F.gather(self.weight, input_ids, axis=0)\n        return rows * 3",
            "times 3",
        ),
        (
            "04",
            "hidden = F.gelu(self.c_fc(x)",
            "hidden = F.gelu(x @ self.c_fc.weight.T",
            "no change of the parameter `c_fc.bias`",
        ),
        (
            "06",
            "return F.gather(self.weight, positions, axis=0)",
            "return F.gather(self.weight, positions * 0 + positions[0], axis=0)",
            "the result of the first position",
        ),
        (
            "03",
            "return normalized * self.weight + self.bias",
            "self.calls = getattr(self, 'calls', 0) + 1\n"
            "        return normalized * self.weight + self.bias * self.calls**2",
            "another result when it is made again",
        ),
        (
            "04",
            "return self.c_proj(hidden)",
            "result = self.c_proj(hidden)\n"
            "        return result + 0.01 * F.mean(result * result, axis=-2)",
            "of `x` changes, the result of an earlier token changes too; it must not",
        ),
    ],
)
def test_symptoms(
    diagnose: Diagnose, name: str, find: str, replace: str, symptom: str
) -> None:
    found = diagnose(name, find, replace)
    assert found.cause is None
    assert symptom in str(found.symptom)


def test_a_family_names_the_cause(diagnose: Diagnose) -> None:
    found = diagnose("07", "3 * config.n_embd", "2304")
    assert "768 stands in its place" in str(found.cause)


def test_the_learners_line(diagnose: Diagnose) -> None:
    found = diagnose(
        "08",
        "/ sqrt(head_size)  # [..., T, T]",
        "\n    scores = scores / sqrt(int(query.shape[0]) + 3)",
    )
    assert [place.right for place in found.places] == [False]
    assert found.places[0].text.startswith("scores = scores / sqrt")
    assert "is the right scores times" in found.places[0].told


def test_right_so_far(diagnose: Diagnose) -> None:
    wrong = "shares = F.softmax(scores * scores + mask, axis=-1)"
    found = diagnose("08", "shares = F.softmax(scores + mask, axis=-1)", wrong)
    right, next_line = found.places
    assert (right.right, right.told) == (True, "the scores")
    assert wrong in next_line.text or "mask = " in next_line.text


def test_an_exception_hides_no_other_mistake(diagnose: Diagnose) -> None:
    loop = "        for block in self.h:\n            x = block(x)\n"
    wrong = "        for block in self.h:\n            y = block(x)\n        x = y\n"
    found = diagnose("12", loop, wrong)
    assert "Every block gets the embeddings" in str(found.symptom)


def test_names_that_only_the_solution_has(diagnose: Diagnose) -> None:
    sentence = "`sorted(kept)` is used where `kept` belongs, in `search`."
    assert names_not_in("kept = search(x)", sentence) == ("sorted",)
    assert names_not_in("kept = search(sorted(x))", sentence) == ()
    line = "return F.gather(self.weight, input_ids, axis=0)"
    found = diagnose("05", line, "return F.gather(self.weight, input_ids, axis=-1)")
    assert found.cause
    assert found.solution_names == ()


def test_the_line_of_one_result_of_several(diagnose: Diagnose) -> None:
    """A right variable that is made after the wrong one does not hide it."""
    line = "query, key, value = F.chunk(self.c_attn(x), 3, axis=-1)\n"
    lines = f"{line}        key = key + x\n        value = value * 1.0\n"
    found = diagnose("07", line, lines)
    right, next_line = found.places
    assert (right.right, right.text) == (True, line.strip())
    assert next_line.text == "key = key + x"


def check_named(name: str) -> Check:
    return Check(name, f"{name} holds.", "", lambda student: None)


def outcome(check: Check, state: Any, observed: Any = None) -> Outcome:
    return Outcome(check, state, "", observed=observed)


class Rehearsed(Diagnoser):
    """Diagnoses with known outcomes of one mistake, and no symptom."""

    def __init__(self, its: dict[str, Outcome], others: list[Outcome]) -> None:
        exercise = find_exercise("10")
        student: Any = SimpleNamespace(unheard=nullcontext)
        super().__init__(exercise, student, lambda mistake: student, lambda: others)
        self.its = its

    def known(self, load: Any, failure: Outcome) -> list[Mistake]:
        fails = tuple(n for n, outcome in self.its.items() if outcome.state == "failed")
        return [Mistake("one", fails, "It is wrong.", "")]

    def try_mistake(self, mistake: Mistake, check: Check) -> Outcome:
        return self.its[check.name]


FIRST, LATER = check_named("first"), check_named("later")
SAID = Diagnosis(cause="It is wrong.")
SEEN = Diagnosis(seen_with="It is wrong.")


@pytest.mark.parametrize(
    ("mistakes", "codes", "expected"),
    [
        (("failed", 1), ("failed", 1), SAID),
        (("failed", 1), ("failed", 2), Diagnosis()),  # refuted
        (("failed", 1), ("passed", None), Diagnosis()),  # refuted
        (("passed", None), ("failed", 1), Diagnosis()),
        (("passed", None), ("to do", None), SAID),  # not finished yet
    ],
)
def test_a_cause_holds_in_every_check(
    mistakes: tuple[str, Any], codes: tuple[str, Any], expected: Diagnosis
) -> None:
    failure = outcome(FIRST, "failed", 5)
    its = {"first": failure, "later": outcome(LATER, *mistakes)}
    diagnoser = Rehearsed(its, [outcome(LATER, *codes)])
    assert diagnoser.explain(failure) == expected


def test_a_second_mistake_leaves_the_first_possible() -> None:
    failure, last = outcome(FIRST, "failed", 5), check_named("last")
    its = {
        "first": failure,
        "later": outcome(LATER, "failed", 1),
        "last": outcome(last, "passed"),
    }
    others = [outcome(LATER, "failed", 1), outcome(last, "failed", 2)]
    assert Rehearsed(its, others).explain(failure) == SEEN


def test_another_result_of_the_first_check_is_no_candidate() -> None:
    its = {"first": outcome(FIRST, "failed", 5)}
    assert Rehearsed(its, []).explain(outcome(FIRST, "failed", 6)) == Diagnosis()


@pytest.mark.parametrize(
    ("yours", "said"),
    [
        ({"w": [5, 3], "b": [5]}, "its axes are exchanged"),
        ({"w": [3, 5, 1], "b": [5]}, "an axis of size 1 too much"),
        ({"w": [3, 768], "b": [5]}, "768 is `n_embd` of a default GPT2Config"),
        ({"w": [3, 4], "b": [5]}, "one too small"),
        ({"w": [9, 5], "b": [5]}, "3 times too large"),
        ({"w": [3, 5]}, "Yours has no `b`."),
        ({"w": [3, 5], "b": [5], "c": [1]}, "Yours has `c` too much."),
        ({"w": [3, 5], "bias": [5]}, "`bias` has the shape of `b`"),
        ({"in.w": [3, 5], "in.b": [5]}, "have “in.” too much"),
    ],
)
def test_parameters(yours: dict[str, list[int]], said: str) -> None:
    with pytest.raises(CheckFailed) as caught:
        expect_parameters(yours, {"w": [3, 5], "b": [5]}, "")
    assert said in str(caught.value.symptom)


def test_variables_are_watched_line_by_line() -> None:
    def code(x: np.ndarray) -> np.ndarray:
        y = x + 1
        y = y * 2
        for _ in range(2):
            y = y - 1
        return y + x

    def is_array(value: object) -> bool:
        return isinstance(value, np.ndarray)

    with VariableWatch([code.__code__], is_array) as watch:
        code(np.ones(2))
    code(np.ones(2))  # is not watched any more
    found = [(name, value.tolist()) for _, _, name, value in watch.found]
    assert found == [
        ("y", [2.0, 2.0]),
        ("y", [4.0, 4.0]),
        ("y", [3.0, 3.0]),
        ("y", [2.0, 2.0]),
        ("", [3.0, 3.0]),
    ]
    lines = [line - watch.found[0][1] for _, line, _, _ in watch.found]
    assert lines == [0, 1, 3, 3, 4]

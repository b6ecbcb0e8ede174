"""Operators make wrong versions of the solutions, each with a true sentence."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent, indent

import pytest

from course import mistakes
from course.dev import mistakes as recorder
from course.dev.mistakes import Workers, distinct_mutants, load_left_out, record
from course.dev.reach import Reach
from course.families.mutants import Mutant, make_mutants
from course.families.table import load_families
from course.mistakes import table_path
from course.registry import ROOT, Exercise, find_exercise, load_registry

EXERCISES = [exercise for exercise in load_registry() if exercise.in_python]
EMPTY = '{"catalogue": [], "families": []}'
# Their checks take seconds, so the test runs few versions of these.
LONG = {"s14", "beam-search", "kv-cache", "speculative", "llama"}


def made_of(lines: str, parameters: str = "x, y") -> dict[str, str]:
    """Maps the sentence of each wrong version of a function to the function's text."""
    source = f"def f({parameters}):\n{indent(dedent(lines), '    ')}\n"
    return {mutant.says: body_of(mutant.source) for mutant in make_mutants(source)}


def body_of(source: str) -> str:
    """Returns the lines of the function that a source consists of."""
    [function] = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    return "\n".join(map(ast.unparse, function.body))


def tidy(lines: str) -> str:
    """Writes lines as ``ast.unparse`` does."""
    return body_of(f"def f():\n{indent(lines, '    ')}\n")


@pytest.mark.parametrize(
    ("code", "wrong", "says"),
    [
        ("x + y", "x", "`y` is not added to `x`."),
        ("x + y", "y", "The sum lacks `x`; only `y` is left."),
        ("x * y", "x", "`x` is not multiplied by `y`."),
        ("x / y", "x", "`x` is not divided by `y`."),
        ("x * x", "x", "The square of `x` is missing; `x` is used alone."),
        (
            "x - y",
            "y - x",
            "`x` is subtracted from `y`; it has to be the other way round.",
        ),
        (
            "x @ y",
            "y @ x",
            "`y` stands before `x` in the matrix product; it has to stand after.",
        ),
        ("x - y", "x + y", "`y` is added to `x`, where a difference belongs."),
        ("x / y", "x * y", "`x` is multiplied by `y`, where a division belongs."),
        (
            "x @ y",
            "x * y",
            "`x` and `y` are multiplied number by number; it has to be a matrix "
            "product.",
        ),
        ("x < y", "x <= y", "`x` is compared with `y` by `<=`; it has to be `<`."),
        ("-x", "x", "`x` is used without the minus sign."),
        ("np.any(x)", "np.all(x)", "`np.all` is used where `np.any` belongs."),
        (
            "F.softmax(x, axis=-1)",
            "F.softmax(x, axis=0)",
            "`F.softmax` works along axis 0; it has to be axis -1.",
        ),
        (
            "x.transpose(1, 2)",
            "x.transpose(0, 1)",
            "Axes 0 and 1 of `x` are exchanged; it has to be axes 1 and 2.",
        ),
        (
            "F.chunk(x, 3, axis=-1)",
            "F.chunk(x, 2, axis=-1)",
            "`F.chunk` is given 2; it has to be 3.",
        ),
        (
            "Linear(x, 3 * y)",
            "Linear(x, 2 * y)",
            "The factor of `y` is 2; it has to be 3.",
        ),
        ("x[-1]", "x[0]", "The code takes index 0 of `x`; it has to be -1."),
        ("x[:y]", "x[:y + 1]", "One item too many of `x` is kept."),
        (
            "x.shape[-1]",
            "x.shape[-2]",
            "The size of axis -2 of `x` is taken; it has to be that of axis -1.",
        ),
        ("F.exp(x)", "x", "The exponential of `x` is not taken."),
        ("self.ln(x)", "x", "`self.ln` is never used: `x` is handed on as it is."),
        (
            "self.ln(x)",
            "self.ln(self.ln(x))",
            "`self.ln` is applied twice; it has to be once.",
        ),
        (
            "self.f(self.g(x))",
            "self.g(self.f(x))",
            "`self.f` comes before `self.g`; it has to come after.",
        ),
        (
            "F.gelu(x, approximate='tanh')",
            "F.gelu(x)",
            "`F.gelu` gets no `approximate`; the default stays.",
        ),
        (
            "Linear(x, y)",
            "Linear(y, x)",
            "The two arguments of `Linear` are exchanged.",
        ),
        ("(x, y)", "(y, x)", "`x` and `y` come back in the wrong order."),
        ("(x, y)", "x", "Only `x` comes back; `y` is missing."),
        (
            "x if y is None else 1",
            "x if True else 1",
            "The code always takes `x`; the code has to ask whether `y` is None.",
        ),
    ],
)
def test_an_expression(code: str, wrong: str, says: str) -> None:
    assert made_of(f"return {code}")[says] == f"return {wrong}"


@pytest.mark.parametrize(
    ("code", "wrong", "says"),
    [
        (
            "h = g(x)\nreturn h + y",
            "return g(x)\nreturn h + y",
            "The function returns `g(x)`; what comes after is missing.",
        ),
        (
            "x = g(x, 1)\nx = h(x, 2)\nreturn x",
            "x = h(x, 2)\nx = g(x, 1)\nreturn x",
            "`h` comes before `g`; it has to come after.",
        ),
        (
            "for _ in range(y):\n    x = g(x)\nreturn x",
            "for _ in range(y - 1):\n    x = g(x)\nreturn x",
            "The loop runs one time too few.",
        ),
        (
            "for i in range(1, y + 1):\n    x = g(x)\nreturn x",
            "for i in range(y + 1):\n    x = g(x)\nreturn x",
            "The loop counts from 0; it has to begin at 1.",
        ),
        (
            "for b in self.h:\n    x = b(x)\nreturn x",
            "for b in reversed(list(self.h)):\n    x = b(x)\nreturn x",
            "The loop goes through `self.h` backwards.",
        ),
        (
            "while True:\n    if x > y:\n        break",
            "while True:\n    if False:\n        break",
            "The loop never ends early; the code has to ask whether `x` is above `y`.",
        ),
        (
            "if x is None:\n    return y",
            "if not x is None:\n    return y",
            "A condition is the wrong way round; the code has to ask whether `x` is "
            "None.",
        ),
        (
            "mask = g(x)\nreturn mask + x",
            "mask = globals().setdefault('_mask', g(x))\nreturn mask + x",
            "The mask is made once and kept; every call has to make it anew.",
        ),
        ("y /= g(x)", "pass", "`y` is not divided by `g(x)`."),
        ("y.append(x)", "pass", "`x` is not appended to `y`."),
    ],
)
def test_lines(code: str, wrong: str, says: str) -> None:
    assert made_of(code)[says] == tidy(wrong)


def test_sizes_of_a_constructor() -> None:
    source = """
        class M(Module[T]):
            ln_1: Norm
            ln_2: Norm

            def __init__(self, config):
                self.ln_1 = Norm(config.n_embd, eps=config.layer_norm_epsilon)
                self.ln_2 = Norm(config.n_embd, eps=config.layer_norm_epsilon)
                self.h = ModuleList([Block(config) for _ in range(config.n_layer)])
                self.fc = Linear(config.n_embd, 4)

            def forward(self, x):
                return self.ln_1(x)
    """
    said = {mutant.says for mutant in make_mutants(dedent(source))}
    assert said >= {
        "`self.ln_1` and `self.ln_2` are one and the same module; make two.",
        "`self.ln_2` is no parameter or layer: `__init__` has to make it.",
        "`self.ln_2` is used where `self.ln_1` belongs.",
        "In `self.h`: one `Block` is used for all layers; each needs its own.",
        "In `self.h`: one `Block` too few is made.",
        "In `self.ln_2`: `Norm` gets no `eps`; the default stays.",
        "In `self.fc`: `config.n_embd` is not used: 768 stands in its place.",
        "`self.fc` is made without a bias.",
    }


def test_names_and_defaults() -> None:
    source = "def f(query: T, key: T, k: float = 1.0):\n    return g(query, key, k)\n"
    said = {mutant.says for mutant in make_mutants(source)}
    assert said >= {
        "`key` is used where `query` belongs.",
        "`key` and `query` are exchanged.",
        "The default of `k` is 0.0; it has to be 1.0.",
        "`k` is not used: 1.0 stands in its place.",
    }


def test_what_commutes_is_not_exchanged() -> None:
    source = "def f(query: T, key: T):\n    return query + key\n"
    said = {mutant.says for mutant in make_mutants(source)}
    assert "`key` and `query` are exchanged." not in said


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.key)
def test_versions_of_a_solution(exercise: Exercise) -> None:
    solution = ast.dump(ast.parse((ROOT / exercise.solution_path).read_text()))
    versions = load_families(exercise)
    assert len({version.name for version in versions}) == len(versions)
    assert len(versions) >= 5
    for version in versions:
        assert ast.dump(ast.parse(version.source)) != solution
        assert (
            version.says[0].isupper()
            or version.says[0].isdigit()
            or (version.says[0] == "`")
        )
        assert version.says.endswith(".")


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.key)
def test_the_table_has_every_version(exercise: Exercise) -> None:
    made = {mutant.name for mutant in distinct_mutants(exercise)}
    listed = {version.name for version in load_families(exercise)}
    assert made == listed | load_left_out(exercise).keys()


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.key)
def test_every_version_fails_as_the_table_says(
    exercise: Exercise, workers: Workers
) -> None:
    reach = Reach(exercise)
    versions = load_families(exercise)[:: 10 if exercise.key in LONG else 3]
    for version in versions:
        failing = tuple(workers.failing(reach, version.source))
        assert (version.name, failing) == (version.name, version.fails)
    assert workers.compiled == [], "runtime/kernels.toml should have it"


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """A worker that is replaced when a wrong version ends it."""
    with closing(Workers()) as workers:
        yield workers


def test_a_stale_table_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise = find_exercise("s10")
    monkeypatch.setattr(mistakes, "ROOT", tmp_path)
    path = tmp_path / table_path(exercise)
    path.parent.mkdir(parents=True)
    group = {"fails": ["test_adds"], "mistakes": ["f: x + y → x"]}
    path.write_text(json.dumps({"catalogue": [], "families": [group]}))
    with pytest.raises(ValueError, match=r"step_10\.json is stale: .*mistakes s10$"):
        load_families(exercise)


def test_the_recorder_mends_a_table(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    workers: Workers,
) -> None:
    exercise = find_exercise("s10")
    kept = (ROOT / table_path(exercise)).read_text(encoding="utf-8")
    file = tmp_path / "step_10.json"
    monkeypatch.setattr(recorder, "table_path", lambda exercise: file)
    file.write_text(EMPTY)
    assert record(exercise, workers, check=True)
    assert "is stale: " in capsys.readouterr().out
    assert file.read_text() == EMPTY
    assert not record(exercise, workers, check=False)
    assert file.read_text(encoding="utf-8") == kept
    assert not record(exercise, workers, check=True)


def test_the_recorder_names_what_passes_every_check(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    workers: Workers,
) -> None:
    exercise = find_exercise("s10")
    solution = (ROOT / exercise.solution_path).read_text(encoding="utf-8")
    idle = Mutant("idle", "Nothing is wrong.", solution.replace("x + s", "0 + x + s"))
    monkeypatch.setattr(recorder, "distinct_mutants", lambda exercise: [idle])
    monkeypatch.setattr(recorder, "table_path", lambda exercise: tmp_path / "t.json")
    assert record(exercise, workers, check=False)
    said = capsys.readouterr().out
    assert "s10: 'idle' passes every check: see left_out.toml.\n" in said
    monkeypatch.setattr(recorder, "load_left_out", lambda exercise: {"old": None})
    assert record(exercise, workers, check=False)
    assert "s10: 'old' is not made any more" in capsys.readouterr().out


def test_the_order_is_the_same_in_every_process() -> None:
    code = (
        "from course.families.mutants import make_mutants\n"
        "source = 'def f(a: T, b: T, c: T, d: T):\\n    return g(a, b, c, d)\\n'\n"
        "print([mutant.name for mutant in make_mutants(source)])"
    )
    command = [sys.executable, "-c", code]
    orders = {
        subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in "123"
    }
    assert len(orders) == 1

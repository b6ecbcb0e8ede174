"""Skeletons have the solutions' interface; skeletons and hints contain no answers.

These tests read ``course/skeletons/``, so a learner may do anything to ``steps/``.
"""

import ast
import importlib
import inspect
import os
import re
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType

import pytest

from course.registry import (
    ROOT,
    Exercise,
    UnknownExercise,
    as_solution,
    find_exercise,
)
from course.registry import load_registry as exercises

SHORTEST_ANSWER = 12  # characters without spaces; anything shorter is no answer
CODE = re.compile(r"[`_=*/@<>{}\[\]\\#]|\w\(|\w\.\w")
ENGLISH = {
    "all",
    "block",
    "choice",
    "draft",
    "float",
    "len",
    "mean",
    "model",
    "sum",
    "where",
}

IN_PYTHON = [exercise for exercise in exercises() if exercise.in_python]
every = pytest.mark.parametrize("exercise", IN_PYTHON, ids=lambda e: e.key)
in_any_language = pytest.mark.parametrize("exercise", exercises(), ids=lambda e: e.key)


@pytest.fixture(scope="module", autouse=True)
def steps() -> Iterator[None]:
    """Imports ``steps`` from the skeletons, which import each other by that name."""
    package = ModuleType("steps")
    package.__path__ = [str(ROOT / "course" / "skeletons")]
    with pytest.MonkeyPatch.context() as patch:
        for name in imported():
            patch.delitem(sys.modules, name)
        patch.setitem(sys.modules, "steps", package)
        yield
        for name in imported():
            del sys.modules[name]


def imported() -> list[str]:
    """Returns the names of the steps that Python has imported."""
    return [name for name in sys.modules if name.startswith("steps.")]


def modules(exercise: Exercise) -> tuple[ModuleType, ModuleType]:
    """Imports the skeleton and the solution."""
    names = exercise.step_module, exercise.solution_module
    skeleton, solution = map(importlib.import_module, names)
    return skeleton, solution


def public(module: ModuleType) -> dict[str, object]:
    """Maps names to a module's own classes and functions; methods: ``Class.method``."""
    own = {k: v for k, v in vars(module).items() if is_own(v, module)}
    for name, value in list(own.items()):
        if isinstance(value, type):
            methods = {k: v for k, v in vars(value).items() if is_own(v, module)}
            own |= {f"{name}.{k}": v for k, v in methods.items()}
    return own


def is_own(value: object, module: ModuleType) -> bool:
    """Says whether a value is a class or function of this module's own file."""
    if isinstance(value, FunctionType):
        return value.__code__.co_filename == module.__file__
    return isinstance(value, type) and value.__module__ == module.__name__


def described(text: object) -> str:
    """Returns a signature or annotation with the solutions' module names.

    In the skeleton GPT2Config is ``steps.step_01.GPT2Config``.
    """
    return as_solution(str(text))


def interface(value: object, *, fields: bool = True) -> dict[str, str]:
    """Returns the docstring, bases, signature and annotations that callers see."""
    seen = {"docstring": str(value.__doc__)}
    if isinstance(value, type):
        seen["bases"] = described(inspect.getmro(value)[1:])
        seen["generic bases"] = described(getattr(value, "__orig_bases__", ()))
    if fields:
        seen["annotations"] = described(inspect.get_annotations(value))  # type: ignore[arg-type]
    if fields and not inherits_fields(value):
        seen["signature"] = described(inspect.signature(value))  # type: ignore[arg-type]
    return seen


def inherits_fields(value: object) -> bool:
    """Says whether a class has step 01's fields, which the skeleton of it lacks."""
    bases = inspect.getmro(value)[1:] if isinstance(value, type) else ()
    return "GPT2Config" in [base.__name__ for base in bases]


def answers(source: str) -> set[str]:
    """Collects a solution's statements, right-hand sides and lines, without spaces."""
    tree = ast.parse(source)
    lines = source.splitlines()
    found = set()
    for node in ast.walk(tree):
        if is_given(node):
            continue
        if isinstance(node, ast.For | ast.If | ast.While):
            head = node.iter if isinstance(node, ast.For) else node.test
            found |= {ast.unparse(head), ast.unparse(node).splitlines()[0]}
        elif isinstance(node, ast.stmt):
            found.add(ast.unparse(node))
            found.add(ast.unparse(getattr(node, "value", None) or node))
            found |= set(lines[node.lineno - 1 : node.end_lineno])
    squeezed = {squeeze(text.partition("  #")[0]) for text in found}
    return {text for text in squeezed if len(text) > SHORTEST_ANSWER}


def leaks(text: str, exercise: Exercise) -> list[str]:
    """Lists the answers of an exercise that a text contains."""
    expected = answers((ROOT / exercise.solution_path).read_text())
    return sorted(answer for answer in expected if answer in squeeze(text))


def is_given(node: ast.AST) -> bool:
    """Says whether a statement is no answer, so that the skeleton may have it, too."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # a docstring
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return True  # an attribute's declaration
    if isinstance(node, ast.TypeAlias):
        return True  # a name for a type, which signatures use
    if isinstance(node, ast.Return) and node.value is not None:
        names = ast.walk(node.value)
        return all(isinstance(n, ast.Name | ast.Tuple | ast.Load) for n in names)
    return False


def squeeze(text: str) -> str:
    """Removes spaces, line breaks and ``#``, and makes all quotes double."""
    return re.sub(r"[\s#]+", "", text).replace("'", '"')


def blanks(source: str) -> list[ast.FunctionDef]:
    """Lists every function and method of a file."""
    nodes = ast.walk(ast.parse(source))
    return [node for node in nodes if isinstance(node, ast.FunctionDef)]


def without_docstrings(source: str) -> str:
    """Removes the docstrings of classes and functions, which both files have."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            text = node.body[0]
            lines[text.lineno - 1 : text.end_lineno] = [""] * (
                (text.end_lineno or 0) - text.lineno + 1
            )
    return "\n".join(lines)


def imported_steps(source: str) -> set[str]:
    """Returns the keys of the earlier steps that a solution imports."""
    nodes = ast.walk(ast.parse(source))
    names = {n.module for n in nodes if isinstance(n, ast.ImportFrom)}
    return {e.key for e in exercises() if e.solution_module in names}


@every
def test_interface(exercise: Exercise) -> None:
    skeleton, solution = (public(module) for module in modules(exercise))
    if exercise.key == "s01":  # the exercise is to write the fields
        del skeleton["GPT2Config.__init__"]
    assert skeleton.keys() == solution.keys()
    own = {name for name in solution if "." not in name and name[0] != "_"}
    assert own == set(exercise.symbols)
    for name, value in solution.items():
        fields = exercise.key != "s01"
        expected = interface(value, fields=fields)
        assert interface(skeleton[name], fields=fields) == expected, name


def test_configuration_is_frozen() -> None:
    skeleton, _ = modules(find_exercise("s01"))
    assert skeleton.GPT2Config.__dataclass_params__.frozen
    for values, sizes in [((), {}), ((11,), {}), ((), {"vocab_size": 11})]:
        with pytest.raises(NotImplementedError, match="seven fields"):
            skeleton.GPT2Config(*values, **sizes)


@every
def test_blanks_say_what_to_do(exercise: Exercise) -> None:
    for function in blanks((ROOT / exercise.skeleton_path).read_text()):
        *docstring, last = function.body
        assert len(docstring) == (ast.get_docstring(function) is not None)
        assert isinstance(last, ast.Raise), function.name
        assert isinstance(last.exc, ast.Call)
        assert ast.unparse(last.exc.func) == "NotImplementedError"
        sentence = ast.literal_eval(last.exc.args[0])
        assert re.fullmatch(r"[A-Z][^!]{15,}\.", sentence), sentence


@every
def test_no_answer_in_skeleton(exercise: Exercise) -> None:
    text = without_docstrings((ROOT / exercise.skeleton_path).read_text())
    assert not leaks(text, exercise)


@every
def test_no_answer_in_first_hints(exercise: Exercise) -> None:
    text = " ".join(exercise.hints[:2]).replace("`", "")
    assert not leaks(text, exercise)


@every
def test_first_hint_has_no_code(exercise: Exercise) -> None:
    hint = exercise.hints[0]
    assert not CODE.search(hint)
    tree = ast.parse((ROOT / exercise.solution_path).read_text())
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {ast.unparse(call).split(".")[-1] for call in calls} - ENGLISH
    assert not names & set(re.findall(r"\w+", hint))


def test_every_exercise_has_three_hints() -> None:
    for exercise in exercises():
        assert len(exercise.hints) == 3, exercise.key
        for hint in exercise.hints:
            assert len(hint) > 40, exercise.key
            assert hint == " ".join(hint.split()), exercise.key
            assert hint.endswith((".", "?")), exercise.key


@every
def test_builds_on_what_the_solution_imports(exercise: Exercise) -> None:
    source = (ROOT / exercise.solution_path).read_text()
    assert set(exercise.builds_on) == imported_steps(source)


def test_files_exist() -> None:
    for exercise in exercises():
        for path in (exercise.skeleton_path, exercise.solution_path):
            assert (ROOT / path).is_file(), path


def test_every_skeleton_has_its_exercise() -> None:
    folder = ROOT / "course" / "skeletons"
    files = {path.name for path in folder.iterdir() if path.is_file()}
    assert files == {exercise.skeleton_path.name for exercise in exercises()}


@in_any_language
@pytest.mark.skipif("CI" not in os.environ, reason="only CI compares steps/")
def test_learners_are_given_the_skeleton(exercise: Exercise) -> None:
    step, skeleton = exercise.step_path, exercise.skeleton_path
    same = (ROOT / step).read_bytes() == (ROOT / skeleton).read_bytes()
    assert same, f"Edit {skeleton}, then: uv run course reset {exercise.short}"


def test_registry_is_in_order() -> None:
    numbers = [exercise.number for exercise in exercises()]
    assert numbers == list(range(len(numbers)))  # the steps begin with 1
    for exercise in exercises():
        assert exercise.title
        assert exercise.summary.endswith(".")
        assert 1 <= exercise.difficulty <= 5
        assert exercise.minutes > 0


@every
def test_a_solved_step_imports_steps_alone(exercise: Exercise) -> None:
    nodes = ast.walk(ast.parse(exercise.solved))
    names = {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}
    assert not any(name.startswith("solutions") for name in names)
    builds_on = {find_exercise(key).step_module for key in exercise.builds_on}
    assert builds_on <= names
    assert as_solution(exercise.solved) == (ROOT / exercise.solution_path).read_text()


@pytest.mark.parametrize("text", ["8", "08", "s08", "step_08", "steps/step_08.py"])
def test_find_exercise(text: str) -> None:
    assert find_exercise(text).file == "step_08"


@pytest.mark.parametrize("text", ["", "0", "99", "s99", "attention", "step_8x"])
def test_unknown_exercise(text: str) -> None:
    with pytest.raises(UnknownExercise, match="there are"):
        find_exercise(text)

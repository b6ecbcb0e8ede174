"""The floors of the code: imports point downwards and form no circle.

Imports inside functions count, and calls of ``import_module`` count.
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from course.registry import ROOT

# The floors from top to bottom. A room imports from itself and from lower floors.
FLOORS = """
tests.own
book
benchmarks
gpt2
gpt2.commands
gpt2.writer    gpt2.serving
gpt2.runs      gpt2.open_engine
gpt2.learner                                                 tests
gpt2.checkpoint   gpt2.engine   gpt2.decoding   course
solutions   steps
runtime                                                      tests.oracle
"""
# Rooms that must not import each other, although one is above the other.
STRANGERS = {
    "gpt2.writer": "course",
    "gpt2.serving": "course",
    "gpt2.runs": "course",
    "gpt2.open_engine": "course",
    "tests": "gpt2",
}
HEIGHT = {
    room: height
    for height, floor in enumerate(reversed(FLOORS.strip().splitlines()))
    for room in floor.split()
}
Imports = dict[str, set[str]]


def read_imports(root: Path) -> Imports:
    """The modules of the course that each file imports, by the file's module name."""
    packages = sorted({room.split(".")[0] for room in HEIGHT})
    files = [path for name in packages for path in root.glob(f"{name}/**/*.py")]
    files = [path for path in files if not is_learners(path)]
    known = {module_name(path.relative_to(root)): path for path in files}
    return {
        name: {found for text in imported(path) if (found := part_of(text, known))}
        for name, path in known.items()
    }


def is_learners(path: Path) -> bool:
    """True if learners write this file. Their imports are free."""
    return path.parent.name == "steps" and path.name != "__init__.py"


def module_name(path: Path) -> str:
    """The module name of a file."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> Iterator[str]:
    """Yields the dotted names that a file imports, in any place."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Call(
                func=ast.Name(id="import_module"), args=[ast.Constant(value=str(name))]
            ):
                yield name


def part_of(name: str, known: dict[str, Path]) -> str | None:
    """The course's module that a dotted name is or belongs to, or None."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name or None


def room_of(module: str) -> str:
    """The room of a module: the room with the longest name that fits."""
    fitting = [room for room in HEIGHT if f"{module}.".startswith(f"{room}.")]
    return max(fitting, key=len)


def upwards(imports: Imports) -> list[str]:
    """The imports that point upwards or sideways, or between strangers."""
    found = []
    for module, others in imports.items():
        room = room_of(module)
        for other in others:
            below = room_of(other)
            stranger = f"{below}.".startswith(f"{STRANGERS.get(room)}.")
            if below != room and (HEIGHT[below] >= HEIGHT[room] or stranger):
                found.append(f"{module} imports {other}")
    return sorted(found)


def circle(imports: Imports) -> list[str]:
    """The modules of one import circle; empty if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_every_import_points_downwards() -> None:
    assert upwards(read_imports(ROOT)) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circle(read_imports(ROOT)) == []


@pytest.fixture
def house(tmp_path: Path):
    """Builds a small course of some files and reads its imports."""

    def build(**texts: str) -> Imports:
        for name, text in texts.items():
            path = tmp_path.joinpath(*name.split("__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return read_imports(tmp_path)

    return build


@pytest.mark.parametrize(
    "text",
    [
        "import gpt2.engine.cache",
        "from gpt2.engine import cache",
        "from gpt2.engine.cache import Cache",
        "def later():\n    from gpt2.engine.cache import Cache",
        "import_module('gpt2.engine.cache')",
    ],
)
def test_an_import_upwards_is_found(house, text: str) -> None:
    imports = house(runtime__kernels=text, gpt2__engine__cache="")
    assert upwards(imports) == ["runtime.kernels imports gpt2.engine.cache"]


def test_neighbours_and_strangers_are_found(house) -> None:
    imports = house(
        gpt2__engine__cache="import gpt2.decoding.beams",
        gpt2__decoding__beams="import runtime.kernels",
        gpt2__writer="import course.state",
        gpt2__learner__encores="import course.state",
        course__state="",
        runtime__kernels="",
    )
    assert upwards(imports) == [
        "gpt2.engine.cache imports gpt2.decoding.beams",
        "gpt2.writer imports course.state",
    ]


def test_a_circle_is_found(house) -> None:
    inside = "def later():\n    import course.b"
    imports = house(course__a=inside, course__b="import course.c", course__c="")
    assert circle(imports) == []
    imports = house(course__a=inside, course__b="import course.a")
    assert set(circle(imports)) == {"course.a", "course.b"}


def test_what_a_learner_writes_is_not_looked_at(house) -> None:
    assert house(steps__step_01="def", course__a="import steps.step_01") == {
        "course.a": set()
    }

"""Makes Python modules of Mojo text, so that a learner's Mojo file can be imported.

A module's functions compute y = W x, each in its way. ``mojo_calls.mojo`` says which
arguments they have in Mojo.
"""

import ctypes
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from course.catalogue import load_mistakes
from course.mistakes import Mistake
from course.registry import ROOT, Exercise, find_exercise
from runtime.announce import Announce, on_stderr
from runtime.mojo_library import MAIN, MojoError, load_library

CALLS = "mojo_calls"
ROOM = 1000  # bytes for an error's text, as in mojo_calls.mojo
TO_DO = "to do: "  # how the error of a blank begins
DEFINITION = r"^def {}\b"
# Its text ends before a line that begins at the margin, if that closes no bracket.
FUNCTION = re.compile(r"^def (\w+)(.*(?:\n(?:[ \t)\]].*)?)*)", re.MULTILINE)
announce: list[Announce] = [on_stderr]  # what surrounds a build, in this process

EXPORTS = """
@export
def {module}_{name}_call(
    y: Ptr, x: Ptr, w: Ptr, outs: Int, ins: Int, times: Int, message: Text
) abi("C") -> Int:
    return call[{module}.{name}](y, x, w, outs, ins, times, message)


@export
def {module}_{name}(y: Ptr, x: Ptr, w: Ptr, outs: Int, ins: Int) abi("C"):
    run[{module}.{name}](y, x, w, outs, ins)
"""


class MojoToDo(NotImplementedError):
    """A blank of a Mojo file that is not filled yet.

    Attributes:
        place: the file, the line's number and the line's text.
    """

    def __init__(self, text: str, place: tuple[str, int, str]) -> None:
        super().__init__(text)
        self.place = place


@dataclass(frozen=True)
class MojoText:
    """A Mojo file's text.

    Attributes:
        file: the path that errors name.
        text: the text, which may be another one than the file has now.
        symbols: the functions that Python calls, if the text has them.
    """

    file: str
    text: str
    symbols: tuple[str, ...]

    def line_with(self, pattern: str) -> tuple[str, int, str]:
        """Returns the place of the first line in which a pattern occurs, or line 1."""
        lines = self.text.splitlines() or [""]
        found = [i for i, line in enumerate(lines) if re.search(pattern, line)]
        number = found[0] if found else 0
        return self.file, number + 1, lines[number].strip()

    @property
    def functions(self) -> list[str]:
        """The names of the functions that Python can call."""
        defined = definitions(self.text)
        return [name for name in self.symbols if name in defined]


def definitions(text: str) -> dict[str, str]:
    """Maps functions of a Mojo file to their text, and "" to all that is outside."""
    found = {name: body.strip() for name, body in FUNCTION.findall(text)}
    return found | {"": FUNCTION.sub("", text)}


class MojoFunction:
    """A Mojo function that computes y = W x.

    Args:
        library: the open library.
        export: the function's name in it.
        text: where the function is defined.

    Attributes:
        address: the address of the C function ``(y, x, w, outs, ins)``.
    """

    def __init__(self, library: ctypes.CDLL, export: str, text: MojoText) -> None:
        self._call, self._text = library[f"{export}_call"], text
        self._library = library  # it stays open as long as the address is used
        self.address = ctypes.cast(library[export], ctypes.c_void_p).value or 0

    def __call__(
        self, y: np.ndarray, x: np.ndarray, w: np.ndarray, times: int = 1
    ) -> None:
        """Writes W x into y, ``times`` times.

        Args:
            y: ``[outs]``, float32.
            x: ``[ins]``, float32.
            w: ``[outs, ins]``, float32, row after row.

        Raises:
            MojoToDo: the function is not written yet.
            RuntimeError: the function raises an error.
        """
        message = ctypes.create_string_buffer(ROOM + 1)
        arrays = [ctypes.c_void_p(array.ctypes.data) for array in (y, x, w)]
        sizes = [ctypes.c_int64(size) for size in (*w.shape, times)]
        if self._call(*arrays, *sizes, message):
            said = message.value.decode(errors="replace")
            if said.startswith(TO_DO):
                place = self._text.line_with(re.escape(said[:30]))
                raise MojoToDo(said.removeprefix(TO_DO), place)
            raise RuntimeError(said)


def make_modules(name: str, texts: Sequence[MojoText], what: str) -> list[ModuleType]:
    """Makes modules of several texts with one build.

    Args:
        name: the modules' name.
        texts: the modules' texts.
        what: what is built, for a user who waits.

    Raises:
        MojoError: Mojo refuses a text; ``filename`` is the text's file.
    """
    named = {f"text_{number}": text for number, text in enumerate(texts)}
    exports = [(module, f) for module, t in named.items() for f in t.functions]
    files = {module: text.text for module, text in named.items()}
    files[CALLS] = (ROOT / "course" / f"{CALLS}.mojo").read_text(encoding="utf-8")
    files[MAIN] = "".join(main_text(list(named), exports))
    try:
        library = load_library(files, what, announce[0])
    except MojoError as error:
        raise located(error, named, files[MAIN]) from None
    made = {module: ModuleType(name) for module in named}
    for module, symbol in exports:
        function = MojoFunction(library, f"{module}_{symbol}", named[module])
        setattr(made[module], symbol, function)
    return list(made.values())


def main_text(modules: list[str], exports: list[tuple[str, str]]) -> Iterator[str]:
    """Yields the parts of the file that exports functions of modules."""
    yield f"from {CALLS} import Ptr, Text, call, run\n"
    yield from (f"import {module}\n" for module in modules)
    for module, name in exports:
        yield EXPORTS.format(module=module, name=name)


def located(error: MojoError, named: Mapping[str, MojoText], main: str) -> MojoError:
    """Returns an error with the real file; one of the exports is about a signature."""
    if text := named.get(error.filename or ""):
        place: tuple[Any, ...] = text.file, error.lineno, error.offset, error.text
        return MojoError(error.msg, place)
    before = "\n".join(main.splitlines()[: error.lineno])
    if not (found := re.findall(r"\[(text_\d+)\.(\w+)\]", before)):
        return error
    module, name = found[-1]
    file, number, line = named[module].line_with(DEFINITION.format(name))
    said = f"{name} does not have the arguments and the result that its skeleton has"
    return MojoError(said, (file, number, 0, line))


class MojoLoader(SourceFileLoader):
    """Loads a Mojo file of an exercise as a module."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Builds the text that the file has now."""
        path = Path(self.path)
        symbols = find_exercise(path.stem).symbols
        text = MojoText(self.path, path.read_text(encoding="utf-8"), symbols)
        (module,) = make_modules(spec.name, [text], path.name)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Does nothing: the text is compiled."""


def mojo_spec(name: str, path: Path) -> ModuleSpec | None:
    """Returns how Python imports a Mojo file."""
    return spec_from_file_location(name, path, loader=MojoLoader(name, str(path)))


class SolutionFinder(MetaPathFinder):
    """Finds the solutions in Mojo, before MAX's own finder of Mojo files sees them.

    MAX's takes each Mojo file for an extension of Python.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """Returns where a solution in Mojo is; None for any other module."""
        file = ROOT.joinpath(*name.split(".")).with_suffix(".mojo")
        is_solution = name.startswith("solutions.") and file.exists()
        return mojo_spec(name, file) if is_solution else None


sys.meta_path.insert(0, SolutionFinder())


@cache
def known_versions(exercise: Exercise) -> dict[str, ModuleType]:
    """Builds the solution and every known mistake together, because that is quicker.

    A mistake's module has the solution's function where the mistake changes nothing.

    Returns:
        The modules by the mistake's name; the solution's name is empty.
    """
    name = exercise.solution_module
    solution = (ROOT / exercise.solution_path).read_text(encoding="utf-8")
    texts = {"": MojoText(f"<{name}>", solution, exercise.symbols)}
    for mistake in load_mistakes(exercise):
        changed = tuple(s for s in exercise.symbols if s in changes(solution, mistake))
        texts[mistake.name] = MojoText(f"<{name}>", mistake.source, changed)
    made = make_modules(name, list(texts.values()), "the known mistakes")
    for module in made:
        vars(module).update({**vars(made[0]), **vars(module)})
    return dict(zip(texts, made, strict=True))


def changes(solution: str, mistake: Mistake) -> list[str]:
    """Returns the functions that a mistake changes: all, if it changes a constant."""
    right, wrong = definitions(solution), definitions(mistake.source)
    if right[""] != wrong[""]:
        return list(wrong)
    return [name for name, text in wrong.items() if right.get(name) != text]


def mojo_version(exercise: Exercise, source: str) -> ModuleType:
    """Makes a module of a version of a solution."""
    for mistake in load_mistakes(exercise):
        if mistake.source == source:
            return known_versions(exercise)[mistake.name]
    name = exercise.solution_module
    text = MojoText(f"<{name}>", source, exercise.symbols)
    return make_modules(name, [text], "a version")[0]

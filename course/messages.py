"""The messages between the grader and the process that runs a learner's code.

The grader never imports learner code or MAX: it sends these requests to a worker
process and gets plain NumPy values back. So a crash, an endless loop or a patched
library stays in the worker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Load:
    """Imports a module: a learner's file, a solution, or a variant of a solution.

    Attributes:
        name: the module's name, such as ``steps.step_08``.
        path: the file to read; None for a variant.
        source: the text of a variant; None for a file.
        steps_dir: the folder from which ``steps`` is imported.
        borrowed: maps a borrowed step's module name to its solution's.
    """

    name: str
    path: str | None = None
    source: str | None = None
    steps_dir: str = ""
    borrowed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Get:
    """Asks for ``attribute`` of the object behind a handle."""

    handle: int
    attribute: str


@dataclass(frozen=True)
class Call:
    """Calls ``attribute`` of the object behind a handle; None calls the object.

    NumPy arrays become tensors on the CPU unless ``tensors`` is false.
    """

    handle: int
    attribute: str | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    tensors: bool = True


@dataclass(frozen=True)
class Watch:
    """Makes a call and asks for the arrays that a module's variables hold meanwhile.

    The answer is a list of ``Variable``.

    Attributes:
        module: the handle's number of the module whose functions are watched.
    """

    call: Call
    module: int


@dataclass(frozen=True)
class Hold:
    """Keeps a checker's object in the worker and returns its handle."""

    value: Any


@dataclass(frozen=True)
class Configure:
    """Makes a GPT2Config of the class that the module behind ``handle`` uses."""

    handle: int
    sizes: dict[str, Any]


@dataclass(frozen=True)
class ParameterShapes:
    """Asks for the names and shapes of a module's parameters."""

    handle: int


@dataclass(frozen=True)
class LoadState:
    """Gives a module its weights, float32, by name."""

    handle: int
    state: dict[str, np.ndarray]


@dataclass(frozen=True)
class Trace:
    """Traces a call as ``Module.compile`` would.

    Attributes:
        inputs: a dtype name and a shape for each tensor argument; a string in a
            shape is a symbolic dimension.
        through: a checker's function that is called with the object and the tensors;
            None calls the object with the tensors.
    """

    handle: int
    attribute: str | None
    inputs: list[tuple[str, list[int | str]]]
    through: Any = None


@dataclass(frozen=True)
class Handle:
    """Stands for an object that stays in the worker."""

    id: int
    type_name: str


@dataclass(frozen=True)
class Array:
    """A tensor or NumPy array that the code returned."""

    kind: str  # "Tensor" or "numpy array"
    dtype: str
    values: np.ndarray  # bfloat16 widened to float32

    @property
    def shape(self) -> list[int]:
        return list(self.values.shape)


@dataclass(frozen=True)
class Unheard:
    """Drops what the code prints from now on, or no longer: its second runs."""

    drop: bool


@dataclass(frozen=True)
class Variable:
    """An array that a line of the learner's code has given to a variable.

    Attributes:
        line, text: the line's number and its code.
        name: the variable's name; empty for what the line returns.
    """

    line: int
    text: str
    name: str
    array: Array


@dataclass(frozen=True)
class Failure:
    """An exception that the code raised."""

    type_name: str
    message: str
    frames: list[tuple[str, int, str]]  # of the learner: file, line, text
    tensors: list[tuple[str, str]]  # in the last frame: name, "float32 [2, 3]"
    trace: str  # the whole traceback
    to_do: bool = False  # a blank that is not filled yet


@dataclass(frozen=True)
class Reply:
    """The worker's answer to one request."""

    value: Any = None
    failure: Failure | None = None
    changed: list[int | str] = field(default_factory=list)  # arguments written to
    copied_from: str | None = None  # a solution that the learner's file imports


@dataclass(frozen=True)
class Compiling:
    """Says that MAX starts or ends compiling.

    Attributes:
        what: a kernel's name, or how many kernels.
        seconds: how long the compile took; None at the start.
        about: estimated seconds, at the start; None if the result may be on disk.
    """

    what: str
    seconds: float | None = None
    about: int | None = None

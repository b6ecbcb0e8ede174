"""The process that runs learner code; ``course.student`` talks to it over a pipe.

``course.process`` starts it. Its argument is the number of an open socket.
"""

import builtins
import contextlib
import functools
import importlib
import itertools
import linecache
import os
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import is_dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from max.driver import CPU
from max.dtype import DType
from max.experimental.nn import Module
from max.experimental.tensor import Tensor
from max.graph import TensorType

from course.memory import bound_memory
from course.messages import (
    Array,
    Call,
    Compiling,
    Configure,
    Failure,
    Get,
    Handle,
    Hold,
    Load,
    LoadState,
    ParameterShapes,
    Reply,
    Trace,
    Unheard,
    Variable,
    Watch,
)
from course.mojo_module import MojoToDo, announce, mojo_version
from course.registry import find_exercise, load_registry
from course.step_imports import use_steps
from course.variables import VariableWatch, codes_of
from course.worker_output import WorkerOutput
from runtime.defaults import on_the_cpu, silence_advice
from runtime.direct.operations import rules
from runtime.initial_weights import draw_with_numpy
from runtime.kernels import use_kernels

# Kept here, because learner code may replace these functions in their modules.
_to_numpy, _from_dlpack, _ndarray = Tensor.to_numpy, Tensor.from_dlpack, np.ndarray
_copy, _array_equal = np.array, np.array_equal
_FIRST = find_exercise("01")
_PLAIN = (bool, int, float, str, bytes, type(None))
_BASES = (int, float, str, bytes, tuple, list)  # a subclass of these is sent as these


class Worker:
    """Holds the objects that the grader refers to, and answers its requests.

    While a variant of a solution runs, the worker drops its output. The worker does the
    same when the grader asks.
    """

    def __init__(self, connection: Connection, output: WorkerOutput) -> None:
        self.connection, self.output = connection, output
        self.objects: dict[int, Any] = {}
        self.unheard = False  # the grader runs the code again, to explain a failure
        self.variants: set[int] = set()  # the handles of variants and their objects
        self.numbers = itertools.count(1)
        self.steps_dir = ""
        self.copied_from: str | None = None

    def serve(self) -> None:
        """Answers requests until the grader hangs up."""
        use_kernels().announce = announce[0] = self.announce
        self.connection.send(Reply("ready"))
        while True:
            try:
                request = self.connection.recv()
            except EOFError:
                return
            with self.output.dropped(self.unheard or self.runs_variant(request)):
                reply = self.answer(request)
            self.connection.send(reply)

    def runs_variant(self, request: Any) -> bool:
        """Says whether a request runs a variant of a solution, not the graded code."""
        match request:
            case Load(source=source):
                return source is not None
            case Call(handle, _, args, kwargs):
                given = [a.id for a in (*args, *kwargs.values()) if type(a) is Handle]
                return not self.variants.isdisjoint([handle, *given])
        return getattr(request, "handle", None) in self.variants

    def answer(self, request: Any) -> Reply:
        """Carries out one request; an exception becomes a failure in the reply."""
        try:
            return self.reply_to(request)
        except BaseException as error:  # SystemExit and KeyboardInterrupt as well
            return Reply(failure=describe(error, self.steps_dir))

    def reply_to(self, request: Any) -> Reply:
        changed: list[int | str] = []
        value = self.encode(self.carry_out(request, changed))
        return Reply(value, None, changed, self.copied_from)

    def carry_out(self, request: Any, changed: list[int | str]) -> Any:
        match request:
            case Load():
                return self.load(request)
            case Get(handle, attribute):
                return getattr(self.objects[handle], attribute)
            case Call():
                return self.call(request, changed)
            case Watch():
                return self.watch(request)
            case Unheard(drop):
                self.unheard = drop
            case Hold(value):
                return self.keep(value)
            case Configure(handle, sizes):
                return self.config_class(self.objects[handle])(**sizes)
            case ParameterShapes(handle):
                parameters = dict(self.objects[handle].parameters)
                return {k: list(map(int, p.shape)) for k, p in parameters.items()}
            case LoadState(handle, state):
                return self.objects[handle].load_state_dict(state)
            case Trace():
                return self.trace(request)

    def load(self, request: Load) -> Handle:
        if request.source is not None:
            return self.keep(variant(request.name, request.source))
        if request.steps_dir:
            self.use_steps(request)
        return self.keep(importlib.import_module(request.name))

    def use_steps(self, request: Load) -> None:
        """Imports ``steps`` from the learner's folder, borrowed ones from solutions."""
        self.steps_dir = request.steps_dir
        use_steps(Path(request.steps_dir), request.borrowed)
        self.notice_copying()

    def notice_copying(self) -> None:
        """Records from now on when a learner's file imports from ``solutions``."""
        real_import = builtins.__import__

        def noticing(name: str, globals: Any = None, *rest: Any, **more: Any) -> Any:
            asker = str((globals or {}).get("__name__", ""))
            if asker.startswith("steps.") and name.split(".")[0] == "solutions":
                self.copied_from = name
            return real_import(name, globals, *rest, **more)

        builtins.__import__ = noticing

    def call(self, request: Call, changed: list[int | str]) -> Any:
        target = self.objects[request.handle]
        if request.attribute is not None:
            target = getattr(target, request.attribute)
        given: dict[int | str, np.ndarray] = {}
        args = [self.decode(a, i, given, request) for i, a in enumerate(request.args)]
        kwargs = {
            k: self.decode(a, k, given, request) for k, a in request.kwargs.items()
        }
        before = {name: _copy(array) for name, array in given.items()}
        with rules():
            result = self.encode(target(*args, **kwargs))
        changed += [n for n in given if not _array_equal(given[n], before[n], True)]
        return result

    def watch(self, request: Watch) -> list[Variable]:
        """Makes a call; returns the arrays that the module's variables held."""
        codes = codes_of(self.objects[request.module])
        with VariableWatch(codes, is_array) as watch, contextlib.suppress(Exception):
            self.call(request.call, [])
        return [
            Variable(number, linecache.getline(file, number).strip(), name, array)
            for file, number, name, value in watch.found
            if isinstance(array := self.encode(value), Array)
        ]

    def trace(self, request: Trace) -> None:
        target = self.objects[request.handle]
        if request.attribute is not None:
            target = getattr(target, request.attribute)
        if request.through is not None:
            target = functools.partial(request.through, target)
        types = [TensorType(DType[d], s, device=CPU()) for d, s in request.inputs]
        Traceable(target).trace(*types)

    def config_class(self, module: ModuleType) -> Any:
        if hasattr(module, "GPT2Config"):
            return module.GPT2Config
        own = module.__name__.startswith("steps.")
        name = _FIRST.step_module if own else _FIRST.solution_module
        return importlib.import_module(name).GPT2Config

    def decode(self, value: Any, name: int | str, given: dict, request: Call) -> Any:
        """Turns an argument from the grader into what the code expects."""
        if isinstance(value, Handle):
            return self.objects[value.id]
        if isinstance(value, _ndarray):
            given[name] = value
            return _from_dlpack(value) if request.tensors else value
        if isinstance(value, str) and value.startswith("DType."):
            return DType[value.removeprefix("DType.")]
        return CPU() if value == "CPU()" else value

    def encode(self, value: Any) -> Any:
        """Turns a result into something that can be sent."""
        if isinstance(value, np.generic) and not isinstance(value, _PLAIN):
            return Array("numpy array", value.dtype.name, _copy(value))
        kept = Handle, Array, Variable, np.generic
        if isinstance(value, kept) or type(value) in _PLAIN:
            return value
        if isinstance(value, _BASES):
            return self.as_base(value)
        if isinstance(value, dict):
            return {str(k): self.encode(item) for k, item in value.items()}
        if isinstance(value, Tensor):
            dtype = value.dtype.name
            if dtype == "bfloat16":
                value = value.cast(DType.float32)
            return Array("Tensor", dtype, _copy(_to_numpy(value)))
        if isinstance(value, _ndarray):
            return Array("numpy array", value.dtype.name, _copy(value))
        return self.keep(value)

    def as_base(self, value: Any) -> Any:
        """Returns a NamedTuple as a tuple, an IntEnum as an int, and so on.

        The grader's process never imports the class, which may be the learner's.
        """
        base = next(base for base in _BASES if isinstance(value, base))
        if base in (tuple, list):
            return base(self.encode(item) for item in value)
        return base(value)

    def keep(self, value: Any) -> Handle:
        number = next(self.numbers)
        self.objects[number] = value
        if self.output.is_dropped:
            self.variants.add(number)
        name = type(value).__name__
        return Handle(number, f"dataclass {name}" if is_dataclass(value) else name)

    @contextlib.contextmanager
    def announce(self, what: str, seconds: int | None) -> Iterator[None]:
        """Tells the grader when a compile starts and ends: its time does not count."""
        started = time.perf_counter()
        self.connection.send(Compiling(what, about=seconds))
        try:
            yield
        finally:
            self.connection.send(Compiling(what, time.perf_counter() - started))


def is_array(value: Any) -> bool:
    """Says whether a value is a tensor or a NumPy array."""
    return isinstance(value, Tensor | _ndarray)


class Traceable(Module):
    """Makes a module or function traceable: MAX before 26.7 needs flat results."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def forward(self, *args: Any) -> list[Any]:
        return list(flat(self.function(*args)))


def flat(value: Any) -> Iterator[Any]:
    """Yields the items of nested lists and tuples, in order."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from flat(item)
    else:
        yield value


def variant(name: str, source: str) -> ModuleType:
    """Makes a module from text; tracebacks show the text's lines."""
    for exercise in load_registry():
        if exercise.solution_module == name and not exercise.in_python:
            return mojo_version(exercise, source)
    module = ModuleType(name)
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec"), module.__dict__)
    return module


def describe(error: BaseException, steps_dir: str) -> Failure:
    """Describes an exception by the learner's own lines and the tensors in them."""
    entries = list(traceback.walk_tb(error.__traceback__))
    own = [(f, n) for f, n in entries if is_own(f.f_code.co_filename, steps_dir)]
    frames = [
        (f.f_code.co_filename, n, linecache.getline(f.f_code.co_filename, n).strip())
        for f, n in own
    ]
    message = str(error)
    if isinstance(error, SyntaxError) and error.filename:
        frames = [(error.filename, error.lineno or 0, (error.text or "").strip())]
        message = error.msg
    last_is_own = bool(own) and own[-1] == entries[-1]
    if isinstance(error, MojoToDo):
        frames, last_is_own = [error.place], True
    return Failure(
        type_name=type(error).__name__,
        message=message,
        frames=frames,
        tensors=shapes_in(own[-1][0]) if own else [],
        trace="".join(traceback.format_exception(error)),
        to_do=isinstance(error, NotImplementedError) and last_is_own,
    )


def is_own(file: str, steps_dir: str) -> bool:
    """Says whether a file is the learner's or a variant of a solution."""
    if file.startswith("<solutions"):
        return True
    return bool(steps_dir) and Path(file).parent == Path(steps_dir)


def shapes_in(frame: Any) -> list[tuple[str, str]]:
    """Lists the tensors among a frame's variables, as (name, "float32 [2, 3]")."""
    found = []
    for name, value in frame.f_locals.items():
        with contextlib.suppress(Exception):
            if isinstance(value, Tensor):
                found.append(
                    (name, f"{value.dtype.name} {list(map(str, value.shape))}")
                )
            elif isinstance(value, _ndarray):
                found.append((name, f"{value.dtype} {list(map(str, value.shape))}"))
    return [(name, text.replace("'", "")) for name, text in found]


def main() -> None:
    bound_memory()
    silence_advice()
    output = WorkerOutput()
    connection = Connection(int(sys.argv[1]))
    draw_with_numpy()
    with on_the_cpu():
        Worker(connection, output).serve()
    os._exit(0)  # threads that learner code started may never end

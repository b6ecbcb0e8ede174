"""The grader's view of a learner's module, which runs in a worker process."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course.messages import (
    Call,
    Configure,
    Failure,
    Get,
    Handle,
    Hold,
    Load,
    LoadState,
    ParameterShapes,
    Trace,
    Unheard,
)
from course.process import WorkerProcess


class Raised(Exception):
    """The code under test raised an exception."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.type_name}: {failure.message}")
        self.failure = failure


@dataclass(frozen=True)
class Recorded:
    """A call that a check made.

    Attributes:
        target: the object that was called, or whose method was.
        request: the call as it was sent.
        result: what came back.
    """

    target: Handle
    request: Call
    result: Any


@dataclass
class Recording:
    """What a check sent to the code.

    Attributes:
        calls: the calls that gave a result, in order.
        states: the weights that modules have, by the number of their handle.
        held: the checker's own objects, by the number of their handle.
    """

    calls: list[Recorded] = field(default_factory=list)
    states: dict[int, Mapping[str, np.ndarray]] = field(default_factory=dict)
    held: dict[int, Any] = field(default_factory=dict)


class Remote:
    """An object in the worker; call it, or its methods, with NumPy arrays."""

    def __init__(self, student: "Student", handle: Handle) -> None:
        self._student = student
        self.handle = handle

    @property
    def type_name(self) -> str:
        return self.handle.type_name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._student.call(self.handle, None, args, kwargs)

    def get(self, attribute: str) -> Any:
        """Reads an attribute."""
        return self._student.ask(Get(self.handle.id, attribute))

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Calls a method."""
        return self._student.call(self.handle, method, args, kwargs)

    def parameter_shapes(self) -> dict[str, list[int]]:
        """Returns the parameters' shapes by name, without making their values."""
        return self._student.ask(ParameterShapes(self.handle.id))

    def load(self, state: Mapping[str, np.ndarray]) -> None:
        """Replaces the parameters' values."""
        copies = {name: np.array(value, order="C") for name, value in state.items()}
        self._student.ask(LoadState(self.handle.id, copies))
        if (recording := self._student.recording) is not None:
            recording.states[self.handle.id] = copies

    def trace(self, *inputs: tuple[str, list[int | str]], through: Any = None) -> None:
        """Traces the module as a compiler would; raises ``Raised`` if that fails."""
        self._student.ask(Trace(self.handle.id, None, list(inputs), through))


class Student:
    """A module under test. Its public names are attributes to call.

    Args:
        worker: the process that runs the module.
        load: the request that imports the module.
        limit: seconds that one request may take.
        tensors: turn arrays into tensors for the code; False leaves them arrays.
    """

    def __init__(
        self, worker: WorkerProcess, load: Load, limit: float, *, tensors: bool = True
    ) -> None:
        self.worker, self.limit, self.tensors = worker, limit, tensors
        self.copied_from: str | None = None
        self.recording: Recording | None = None
        self.changed: list[int | str] = []  # arguments that a call has written to
        self.module: Remote = self.ask(load)

    def ask(self, request: Any) -> Any:
        """Sends a request; raises ``Raised`` with what the code raised."""
        reply = self.worker.ask(request, self.limit)
        self.copied_from = reply.copied_from or self.copied_from
        if reply.failure:
            raise Raised(reply.failure)
        self.changed += reply.changed
        return self._wrap(reply.value)

    def call(
        self, handle: Handle, attribute: str | None, args: Any, kwargs: Any
    ) -> Any:
        """Calls the object behind ``handle``, or one of its methods."""
        args = tuple(plain(a) for a in args)
        kwargs = {name: plain(a) for name, a in kwargs.items()}
        request = Call(handle.id, attribute, args, kwargs, self.tensors)
        result = self.ask(request)
        if self.recording is not None:
            self.recording.calls.append(Recorded(handle, request, result))
        return result

    @contextmanager
    def record(self) -> Iterator[Recording]:
        """Records the calls, weights and objects that are sent meanwhile."""
        self.recording = Recording()
        try:
            yield self.recording
        finally:
            self.recording = None

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Drops what is printed meanwhile: the code has printed the same before."""
        self.ask(Unheard(True))
        try:
            yield
        finally:
            self.ask(Unheard(False))

    def hold(self, value: Any) -> Remote:
        """Sends a checker's object to the worker, which keeps it."""
        held = self.ask(Hold(value))
        if self.recording is not None:
            self.recording.held[held.handle.id] = value
        return held

    def config(self, **sizes: Any) -> Remote:
        """Makes a GPT2Config with these sizes in the worker."""
        return self.ask(Configure(self.module.handle.id, sizes))

    def trace(
        self,
        function: str,
        *inputs: tuple[str, list[int | str]],
        through: Callable[..., Any] | None = None,
    ) -> None:
        """Traces one of the module's functions as a compiler would."""
        self.ask(Trace(self.module.handle.id, function, list(inputs), through))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__") or "module" not in self.__dict__:
            raise AttributeError(name)
        return lambda *args, **kwargs: self.module.call(name, *args, **kwargs)

    def _wrap(self, value: Any) -> Any:
        if isinstance(value, Handle):
            return Remote(self, value)
        if isinstance(value, tuple | list):
            return type(value)(self._wrap(item) for item in value)
        return value


def plain(value: Any) -> Any:
    """Returns an argument as it can be sent: a handle, a copied array or itself."""
    if isinstance(value, Remote):
        return value.handle
    return np.array(value, order="C") if isinstance(value, np.ndarray) else value

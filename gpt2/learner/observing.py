"""Records what the pieces of a running model pass to each other.

A piece is a module of the model, or a function that one step imports from another. Only
its inputs and its results are seen, so any right code gives the same record.

Shapes: B batch, T tokens, C channels, H heads, D head size.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module
from typing import Any

import numpy as np
from max.dtype import DType
from max.experimental.tensor import Tensor

from gpt2.learner.stages import CALLER, FIRST, SECOND

BLOCK = re.compile(r"h\.\d+")
# What a module's input and its result are called, by the end of the module's name. The
# input of a block's second normalization is the stream after attention.
MODULES: dict[str, tuple[str, str]] = {
    "transformer": ("ids", "ln_f"),
    "wte": ("wte.input", "wte"),
    "wpe": ("wpe.input", "wpe"),
    "": ("in", "out"),
    "ln_1": ("ln_1.input", "ln_1"),
    "attn": ("attn.input", "attn"),
    "attn.c_proj": ("mixed", "joined"),
    "ln_2": ("ln_2.input", "ln_2"),
    "mlp": ("mlp.input", "mlp"),
    "mlp.c_fc": ("", "hidden"),
    "mlp.c_proj": ("active", ""),
    "ln_f": ("ln_f.input", "ln_f.result"),
}
PARTS = ("query", "key", "value")
WITHOUT_BATCH = ("wpe.input", "wpe")  # a model adds these to each text of the batch
HALVES = {FIRST: ("ln_1", "attn"), SECOND: ("ln_2", "mlp")}


@dataclass(frozen=True)
class Odd:
    """Something that is no tensor where a tensor should be.

    Attributes:
        text: says what it is.
    """

    text: str


Value = np.ndarray | Odd


@dataclass
class Attention:
    """The calls of ``compute_attention`` in one block.

    Attributes:
        inputs: query, key and value of each call.
        results: the result of each call that came to its end.
    """

    inputs: list[tuple[Any, ...]] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)


class Observer:
    """Keeps the values of one run. The first call of a piece counts.

    Attributes:
        values: arrays by the names of ``gpt2.learner.stages``, without the axis B.
        callers: the steps that call the normalization and the sublayer, by the name of
            the residual connection, such as ``h.0.first``.
        attention: the calls of ``compute_attention``, by block.
        compute_attention: the function of step 08; None if it cannot be imported.
    """

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.callers: dict[str, int] = {}
        self.attention: dict[str, Attention] = {}
        self.compute_attention: Callable[..., Any] | None = None
        self._modules: dict[int, str] = {}
        self._running: list[str] = []
        self._done: set[str] = set()  # modules that have run once
        self._qkv: type | tuple[()] = ()

    def watch_functions(self) -> None:
        """Observes the functions of ``steps``, before other steps import them.

        A file that cannot be imported stays unobserved: the steps that need it will say
        what is wrong.
        """
        with suppress(Exception, SystemExit):
            self._replace("step_02", "causal_mask", self._see_mask)
        with suppress(Exception, SystemExit):
            self._qkv = import_module("steps.step_07").GPT2SingleHeadQKV
        with suppress(Exception, SystemExit):
            self.compute_attention = self._replace(
                "step_08", "compute_attention", self._see_attention
            )
        with suppress(Exception, SystemExit):
            self._replace("step_10", "pre_norm_residual", self._see_residual)

    def _replace(self, file: str, name: str, see: Callable) -> Callable[..., Any]:
        """Puts an observed function in the place of a step's; returns the step's."""
        module = import_module(f"steps.{file}")
        function = getattr(module, name)

        @wraps(function)
        def observed(*args: Any, **kwargs: Any) -> Any:
            if self.block and not self._done.intersection(self._running):
                return see(function, args, kwargs)
            return function(*args, **kwargs)

        setattr(module, name, observed)
        return function

    @property
    def block(self) -> str:
        """The beginning of the names in the block that runs now, such as ``h.0.``."""
        return next((f"{n}." for n in self._running if BLOCK.fullmatch(n)), "")

    @contextmanager
    def watching(self, model: Any) -> Iterator[None]:
        """Observes all modules of a model."""
        modules = {n.removeprefix("transformer."): m for n, m in model.descendants}
        self._modules = {id(module): name for name, module in modules.items()}
        with ExitStack() as stack:
            for kind in {type(module) for module in modules.values()}:
                forward = kind.forward
                kind.forward = self._observed(forward)
                stack.callback(setattr, kind, "forward", forward)
            yield

    def _observed(self, forward: Callable) -> Callable:
        @wraps(forward)
        def observed(module: Any, *args: Any, **kwargs: Any) -> Any:
            name = self._modules.get(id(module))
            if name is None or name in self._running:  # a class's forward calls super's
                return forward(module, *args, **kwargs)
            self._running.append(name)
            try:
                prefix, rest = split(name)
                self._see_input(prefix, rest, module, [*args, *kwargs.values()])
                result = forward(module, *args, **kwargs)
                self._see_result(prefix, rest, module, result)
                return result
            finally:
                self._running.pop()
                self._done.add(name)

        return observed

    def keep(self, name: str, value: Any, axes: int = 2) -> None:
        """Keeps a value of some axes and B under a name that has no value yet."""
        if name not in self.values:
            alone = name in WITHOUT_BATCH or name.endswith(".mask")
            self.values[name] = (read_alone if alone else read)(value, axes)

    def _see_input(self, prefix: str, rest: str, module: Any, given: list) -> None:
        if isinstance(module, self._qkv):
            rest, names = "qkv", ("qkv.input", "")
        else:
            names = MODULES.get(rest, ("", ""))
        if given and names[0]:
            axes = 1 if names[0] in ("ids", "wte.input", "wpe.input") else 2
            self.keep(prefix + names[0], given[0], axes)

    def _see_result(self, prefix: str, rest: str, module: Any, result: Any) -> None:
        if isinstance(module, self._qkv):
            self._see_parts(prefix, result)
        elif name := MODULES.get(rest, ("", ""))[1]:
            self.keep(prefix + name, result)

    def _see_parts(self, prefix: str, result: Any) -> None:
        """Keeps step 07's query, key and value, ``[T, C]`` each."""
        if isinstance(result, tuple | list) and len(result) == len(PARTS):
            for part, value in zip(PARTS, result, strict=True):
                self.keep(prefix + part, value)
        else:
            self.keep(f"{prefix}query", Odd(f"{kind_of(result)}, not three tensors"))

    def _see_mask(self, function: Callable, args: tuple, kwargs: dict) -> Any:
        block = self.block
        given = named(("sequence_length", "num_tokens"), args, kwargs)
        with suppress(TypeError, ValueError):  # sizes of another kind
            sizes = [int(size) for size in list(given.values())[:2]]
            self.values.setdefault(f"{block}mask.sizes", np.array(sizes))
        result = function(*args, **kwargs)
        self.keep(f"{block}mask", result)
        return result

    def _see_attention(self, function: Callable, args: tuple, kwargs: dict) -> Any:
        calls = self.attention.setdefault(self.block, Attention())
        given = named(PARTS, args, kwargs)
        calls.inputs.append(tuple(given.get(part) for part in PARTS))
        result = function(*args, **kwargs)
        calls.results.append(result)
        return result

    def _see_residual(self, function: Callable, args: tuple, kwargs: dict) -> Any:
        block, given = self.block, named(("x", "norm", "sublayer"), args, kwargs)
        half = next((h for h in HALVES if f"{block}{h}.x" not in self.values), None)
        if half is None:  # a third residual connection
            return function(*args, **kwargs)
        expected = [f"{block}{name}" for name in HALVES[half]]
        got = [self._modules.get(id(given.get(name))) for name in ("norm", "sublayer")]
        fits = all(g in (None, e) for g, e in zip(got, expected, strict=True))
        self.callers[f"{block}{half}"] = CALLER[fits]
        self.keep(f"{block}{half}.x", given.get("x"))
        result = function(*args, **kwargs)
        self.keep(f"{block}{half}.result", result)
        return result


def split(name: str) -> tuple[str, str]:
    """Splits ``h.0.attn.c_proj`` into ``h.0.`` and ``attn.c_proj``."""
    found = BLOCK.match(name)
    if found is None:
        return "", name
    return f"{found[0]}.", name[found.end() :].removeprefix(".")


def named(names: tuple[str, ...], args: tuple, kwargs: dict) -> dict[str, Any]:
    """Returns the arguments of a call by the names that the course gives them."""
    return dict(zip(names, args, strict=False)) | kwargs


def read(value: Any, axes: int) -> Value:
    """Returns a tensor's numbers without the axis B, which comes before the others."""
    array = as_array(value)
    if isinstance(array, Odd):
        return array
    if array.ndim <= axes:
        return Odd(f"of the shape {list(array.shape)}, without the axis of the batch")
    return array[0] if len(array) == 1 else array


def read_alone(value: Any, axes: int) -> Value:
    """Returns the numbers of a tensor that need not have the axis B."""
    array = as_array(value)
    while isinstance(array, np.ndarray) and array.ndim > axes and len(array) == 1:
        array = array[0]
    return array


def as_array(value: Any) -> Value:
    """Returns a copy of a tensor's numbers."""
    if not isinstance(value, Tensor):
        return value if isinstance(value, Odd) else Odd(kind_of(value))
    if value.dtype == DType.bfloat16:
        value = value.cast(DType.float32)
    return np.array(value.to_numpy())


def kind_of(value: Any) -> str:
    """Says what an object is that should be a tensor."""
    if value is None:
        return "None"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, Tensor):
        return "one tensor"
    return f"of the type {type(value).__name__}"

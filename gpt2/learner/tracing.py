"""Runs a model made of ``steps`` on one text and keeps every intermediate result.

``gpt2.learner.borrowing.borrow`` decides whose the steps are. If all are borrowed, the
model is the reference.

Shapes: T tokens, C channels, H heads, D head size, V vocabulary.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from importlib import import_module
from math import prod
from typing import Any

import numpy as np

from gpt2.checkpoint.loading import Checkpoint
from gpt2.learner.borrowing import Borrowed, borrow
from gpt2.learner.eager_engine import as_tensor, make_model, transposes_of
from gpt2.learner.observing import PARTS, Attention, Observer, Odd, Value, as_array
from gpt2.learner.own_parameters import check_methods, check_parameters
from gpt2.learner.step_errors import LearnerError, blame_steps
from runtime.defaults import on_the_cpu
from runtime.direct.operations import direct_operations
from runtime.plain_max import plain_max


@dataclass
class Trace:
    """The intermediate results of one text.

    Attributes:
        ids: the text, ``[T]``.
        values: arrays by the names of ``gpt2.learner.stages``. What the code does not
            show from outside is missing.
        callers: the steps that call normalizations and sublayers.
        error: what ended the run early; None if it came to its end.
    """

    ids: list[int]
    values: dict[str, Value] = field(default_factory=dict)
    callers: dict[str, int] = field(default_factory=dict)
    error: LearnerError | None = None

    def array(self, name: str) -> np.ndarray | None:
        """Returns an array; None if it is missing or no tensor."""
        value = self.values.get(name)
        return value if isinstance(value, np.ndarray) else None


def trace_reference(checkpoint: Checkpoint, ids: Sequence[int]) -> Trace:
    """Runs the solutions on ids; ``borrow`` must be called again for a learner's model.

    Raises:
        LearnerError: MAX does not run on this machine.
    """
    trace = run_traced(checkpoint, ids, borrow(own=()))
    if trace.error:
        raise trace.error
    return trace


def run_traced(checkpoint: Checkpoint, ids: Sequence[int], borrowed: Borrowed) -> Trace:
    """Gives the checkpoint's weights to the model in ``steps``, and runs it on ids.

    An error in the learner's code ends the run. The trace has what came before it.
    """
    observer = Observer()
    trace = Trace(list(ids), observer.values, observer.callers)
    try:
        with on_the_cpu():
            model = build(checkpoint, observer)
            run(model, observer, ids)
    except LearnerError as error:
        trace.error = error
    layers = range(checkpoint.config.n_layer)
    for block in (f"h.{layer}." for layer in layers):
        finish_block(block, observer, checkpoint.config.n_head)
        if "s08" not in borrowed.own:  # the learner's code need not have scores
            add_scores(block, observer.values)
    return trace


def build(checkpoint: Checkpoint, observer: Observer) -> Any:
    """Builds the model in ``steps`` from fresh files, and loads the weights.

    Raises:
        LearnerError: a file cannot be imported, or the model cannot take the weights.
    """
    with blame_steps():
        observer.watch_functions()
        config = import_module("steps.step_01").GPT2Config(**asdict(checkpoint.config))
        model_class = import_module("steps.step_13").MaxGPT2LMHeadModel
        model = make_model(model_class, config)
        check_methods(model)
        check_parameters(model, checkpoint.weights)
        model.load_state_dict(checkpoint.weights)
        return model


def run(model: Any, observer: Observer, ids: Sequence[int]) -> None:
    """Runs a model and then each attention on a matrix that shows its shares.

    Raises:
        LearnerError: the learner's code does not run.
    """
    with blame_steps(), operations(model):
        with observer.watching(model):
            logits = model(as_tensor(np.array([ids], dtype=np.int64)))
        observer.keep("logits.all", logits)
        every = observer.values["logits.all"]
        if isinstance(every, np.ndarray):
            observer.values["logits"] = every[-1:]
    with suppress(Exception, SystemExit), operations(model):
        for block, calls in observer.attention.items():
            observer.values[f"{block}shares"] = shares(observer, calls)


@contextmanager
def operations(model: Any) -> Iterator[None]:
    """Computes the learner's operations at once, as each value is kept."""
    if plain_max():
        yield  # direct_operations would give no values before its end
        return
    with direct_operations(transposes_of(model)):
        yield


def shares(observer: Observer, calls: Attention) -> Value:
    """Returns the shares ``[H, T, T]`` of a block's attention.

    Attention's result is the shares times the values. So the learner's own function is
    called again, with columns of the identity matrix as values.
    """
    try:
        return np.concatenate([probe(observer, *given) for given in calls.inputs])
    except (Exception, SystemExit):  # the run itself has shown what is wrong
        return Odd("not to be seen")


def probe(observer: Observer, query: Any, key: Any, value: Any) -> np.ndarray:
    """Returns the shares of one call ``[N, T, T]``."""
    assert observer.compute_attention is not None
    *batch, length, size = map(int, value.shape)
    width = -(-length // size) * size
    columns = np.eye(length, width, dtype=np.float32)
    found = []
    for start in range(0, width, size):
        part = np.broadcast_to(columns[:, start : start + size], (*batch, length, size))
        result = observer.compute_attention(query, key, as_tensor(part)).to_numpy()
        found.append(result.reshape(prod(batch), length, size))
    return np.concatenate(found, axis=-1)[..., :length]


def finish_block(block: str, observer: Observer, heads: int) -> None:
    """Adds what follows from the record of a block's calls.

    A step 09 may call attention once, or once for each head. Both give ``[H, T, D]``.
    """
    values = observer.values
    calls = observer.attention.get(block)
    if calls is not None:
        for part, given in zip(PARTS, zip(*calls.inputs, strict=True), strict=True):
            values[f"{block}heads.{part}"] = by_head(given)
        if calls.results:
            values[f"{block}attended"] = by_head(calls.results)
        for part in PARTS:  # a step 09 that has no module of step 07
            if f"{block}{part}" not in values:
                add_joined(f"{block}{part}", values[f"{block}heads.{part}"], values)
    shown = values.get(f"{block}shares")
    if isinstance(shown, Odd) or (shown is not None and len(shown) != heads):
        del values[f"{block}shares"]
    middle = values.get(f"{block}first.result", values.get(f"{block}ln_2.input"))
    if middle is not None:
        values[f"{block}mid"] = middle


def by_head(tensors: Sequence[Any]) -> Value:
    """Returns tensors ``[..., T, D]`` as one array ``[H, T, D]``."""
    arrays = [as_array(tensor) for tensor in tensors]
    alike = [a for a in arrays if isinstance(a, np.ndarray) and a.ndim > 1]
    if len(alike) < len(arrays) or len({a.shape[-2:] for a in alike}) > 1:
        return next((a for a in arrays if isinstance(a, Odd)), arrays[0])
    return np.concatenate([a.reshape(-1, *a.shape[-2:]) for a in alike])


def add_joined(name: str, heads: Value, values: dict[str, Value]) -> None:
    """Keeps ``[H, T, D]`` as ``[T, C]``, heads side by side."""
    if isinstance(heads, np.ndarray) and heads.ndim == 3:
        values[name] = np.concatenate(list(heads), axis=-1)


def add_scores(block: str, values: dict[str, Value]) -> None:
    """Computes the scores ``[H, T, T]`` that the solution's attention has."""
    query, key = (values.get(f"{block}heads.{part}") for part in ("query", "key"))
    if not (isinstance(query, np.ndarray) and isinstance(key, np.ndarray)):
        return
    if query.shape == key.shape and query.ndim == 3:
        root = np.float32(np.sqrt(query.shape[-1]))
        values[f"{block}scores"] = query @ key.swapaxes(-1, -2) / root

"""The comparisons that checkers use; a failed one keeps facts for the diagnosis."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course.comparison import Comparison, collected
from course.messages import Array
from course.parameters import explain_parameters
from course.student import Remote, Student
from tests.oracle.notes import notes_so_far

State = Mapping[str, np.ndarray]
TOLERANCE = 2e-5  # float32 against the float64 oracle, on numbers around 1
AXES = ("text", "head", "token", "channel")  # of four axes; fewer have the last ones


@dataclass
class CheckFailed(Exception):
    """A check found something wrong.

    Attributes:
        message: one sentence that says what is wrong.
        facts: rows of a small table: a label such as "expected", and a text.
        observed: the code's result; the diagnosis compares it with the result of
            each known mistake.
        comparison: the numbers that differ, if the check compares arrays.
        symptom: how the result differs, in a sentence, if the check knows it.
    """

    message: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    observed: Any = None
    comparison: Comparison | None = None
    symptom: str | None = None

    def __str__(self) -> str:
        return self.message


def expect_close(
    value: Any,
    expected: np.ndarray,
    call: str,
    *,
    tolerance: float = TOLERANCE,
    dtype: str = "float32",
    axes: str = "",
) -> np.ndarray:
    """Requires a tensor with the expected shape, dtype and numbers; returns them.

    Args:
        value: the code's result.
        expected: the oracle's result.
        call: the call, as the report shows it.
        tolerance: largest error: relative for numbers above 1, absolute below.
        dtype: the dtype name that the tensor must have.
        axes: the names of the axes, if they are not text, head, token and channel.

    Raises:
        CheckFailed: the type, shape, dtype or numbers are wrong.
    """
    comparison = compared(value, expected, call, tolerance, axes)
    shape = list(expected.shape)
    return judged(comparison, lambda: expect_tensor(value, shape, call, dtype=dtype))


def expect_numbers(
    value: Any,
    expected: np.ndarray,
    call: str,
    *,
    tolerance: float = TOLERANCE,
    axes: str = "id",
) -> np.ndarray:
    """Requires a NumPy array of the expected shape and numbers; returns them.

    Raises:
        CheckFailed: the type, shape, dtype or numbers are wrong.
    """
    comparison = compared(value, expected, call, tolerance, axes)
    return judged(comparison, lambda: expect_array(value, list(expected.shape), call))


def compared(
    value: Any,
    expected: np.ndarray,
    call: str,
    tolerance: float = TOLERANCE,
    axes: str = "id",
) -> Comparison:
    """Puts a result beside the right one; what is no array has no numbers."""
    yours = value.values if isinstance(value, Array) else np.empty(0)
    names = axes.split() or usual_axes(expected.ndim)
    return Comparison(
        call,
        yours.astype(np.float64) if yours.dtype.kind in "biuf" else np.empty(0),
        expected.astype(np.float64),
        notes_so_far(),
        tuple(names[len(names) - expected.ndim :]),
        tolerance,
    )


def usual_axes(ndim: int) -> list[str]:
    """Names the axes of an array of channels; only four axes have one for heads."""
    names = [axis for axis in AXES if ndim > 3 or axis != "head"]
    return names[max(0, len(names) - ndim) :]


def judged(comparison: Comparison, get: Callable[[], np.ndarray]) -> np.ndarray:
    """Requires the numbers that ``get`` returns to be right, or collects them."""
    found = collected()
    try:
        if found is not None and comparison.yours.size:
            found.append(comparison)
            return comparison.expected
        got = get()
        if comparison.wrong.any():
            raise differs(comparison)
    except CheckFailed as error:
        error.comparison = comparison
        raise
    return got


def expect_tensor(
    value: Any, shape: list[int], call: str, *, dtype: str = "float32"
) -> np.ndarray:
    """Requires a MAX tensor of this shape and dtype; returns float64 numbers."""
    facts = [("called", call), ("expected", f"Tensor {dtype} {shape}")]
    if not isinstance(value, Array) or value.kind != "Tensor":
        facts.append(("yours", kind_of(value)))
        raise CheckFailed("The result is not a MAX tensor.", facts, kind_of(value))
    yours = f"{value.dtype} {value.shape}"
    facts.append(("yours", f"Tensor {yours}"))
    if value.shape != shape:
        raise CheckFailed("The result has the wrong shape.", facts, value.values)
    if value.dtype != dtype:
        raise CheckFailed("The result has the wrong dtype.", facts, value.values)
    return value.values.astype(np.float64)


def expect_array(value: Any, shape: list[int], call: str) -> np.ndarray:
    """Requires a NumPy array of floats of this shape; returns float64 numbers."""
    facts = [("called", call), ("expected", f"numpy array of floats {shape}")]
    facts.append(("yours", kind_of(value)))
    if not isinstance(value, Array) or value.kind != "numpy array":
        raise CheckFailed("The result is not a NumPy array.", facts, kind_of(value))
    if value.shape != shape:
        raise CheckFailed("The result has the wrong shape.", facts, value.values)
    if not np.issubdtype(value.values.dtype, np.floating):
        raise CheckFailed("The result has the wrong dtype.", facts, value.values)
    return value.values.astype(np.float64)


def expect_equal(
    value: Any,
    expected: Any,
    message: str,
    call: str,
    known: Mapping[str, Any] | None = None,
) -> None:
    """Requires a plain value (a number, a text, a list) to equal ``expected``.

    Args:
        known: other values of the calculation, by name: one of them may be the result.
    """
    if isinstance(value, Array):
        value = value.values.tolist()
    if value == expected:
        return
    shown = kind_of(value) if isinstance(value, Remote) else repr(value)
    facts = [("called", call), ("expected", repr(expected)), ("yours", shown)]
    names = [name for name, other in (known or {}).items() if other == value]
    symptom = f"Yours is {names[0]}." if names else None
    raise CheckFailed(message, facts, repr(value), symptom=symptom)


def require(condition: bool, message: str, call: str, observed: Any = None) -> None:
    """Requires a condition to hold; the diagnosis compares ``observed``."""
    if not condition:
        raise CheckFailed(message, [("called", call)], observed)


def build(
    step: Student, name: str, *args: Any, state: dict[str, np.ndarray], **kwargs: Any
) -> Remote:
    """Makes an instance of one of the module's classes and loads its weights.

    Raises:
        CheckFailed: the parameters' names or shapes are not those of ``state``.
    """
    module = getattr(step, name)(*args, **kwargs)
    call = f"{name}(…).parameters"
    if not isinstance(module, Remote):
        raise CheckFailed(f"{name}(…) did not make a module.", [], kind_of(module))
    yours = module.parameter_shapes()
    expected = {key: list(array.shape) for key, array in state.items()}
    expect_parameters(yours, expected, call)
    module.load(state)
    return module


def expect_own_weights(
    first: Remote,
    second: Remote,
    states: Sequence[State],
    expect: Callable[[Any, State, str], Any],
    *inputs: np.ndarray,
) -> None:
    """Requires that a module uses its own weights, and those that were loaded last.

    Args:
        first: a module with the first weights of ``states``, made before the second.
        second: another module of this class, with the second weights.
        expect: compares a result with the right one for weights; the text says what
            happened before.
        inputs: the arguments of the call.
    """
    shapes = first.parameter_shapes()
    expect(first(*inputs), states[0], "after a second module was made")
    first.load(states[1])
    expect(first(*inputs), states[1], "after other weights were loaded into it")
    more = sorted(first.parameter_shapes().keys() - shapes.keys())
    if more:
        symptom = (
            f"`{more[0]}` is a parameter now: what a call computes is kept on self."
        )
        facts = [("new", ", ".join(more))]
        message = "A call adds parameters, which no checkpoint has."
        raise CheckFailed(message, facts, more, symptom=symptom)


def expect_parameters(
    yours: dict[str, list[int]], expected: dict[str, list[int]], call: str
) -> None:
    """Requires these parameters; says which are missing, unknown or of other shapes."""
    if yours == expected:
        return
    facts = [("looked at", call)]
    for name in sorted(expected.keys() - yours.keys()):
        facts.append(("missing", f"{name} {expected[name]}"))
    for name in sorted(yours.keys() - expected.keys()):
        facts.append(("unknown", f"{name} {yours[name]}"))
    for name in sorted(yours.keys() & expected.keys()):
        if yours[name] != expected[name]:
            facts.append(("shape", f"{name} is {yours[name]}, not {expected[name]}"))
    message = "The parameters are not those that the checkpoint has."
    symptom = explain_parameters(yours, expected)
    raise CheckFailed(message, facts[:9], sorted(yours.items()), symptom=symptom)


def differs(comparison: Comparison) -> CheckFailed:
    """Describes where two arrays of the same shape differ most."""
    got, expected, error = comparison.yours, comparison.expected, comparison.error
    facts = [("called", comparison.call)]
    if not error.ndim:
        facts += [("expected", f"{expected:.6g}"), ("yours", f"{got:.6g}")]
    facts.append(
        ("differing", f"{comparison.wrong.mean():.0%} of {error.size} numbers")
    )
    message = "The numbers are not right."
    if np.isnan(got).any():
        message = "There are NaNs (not a number) in the result."
    return CheckFailed(message, facts, got)


def kind_of(value: Any) -> str:
    """Names a returned value's type as a learner would."""
    if isinstance(value, Array):
        return f"{value.kind} {value.dtype} {value.shape}"
    if isinstance(value, Remote):
        return value.type_name
    if isinstance(value, tuple | list):
        return f"{type(value).__name__} of {len(value)}"
    return "None" if value is None else f"{type(value).__name__} {value!r}"


def as_plain(value: Any) -> Any:
    """Turns arrays and tuples into lists, and NumPy numbers into Python numbers."""
    if isinstance(value, Array):
        return value.values.tolist()
    return [as_plain(x) for x in value] if isinstance(value, tuple | list) else value

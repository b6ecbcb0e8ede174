"""The comparisons that checkers use; a failed one keeps facts for the diagnosis."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course.messages import Array
from course.student import Remote, Student

TOLERANCE = 2e-5  # float32 against the float64 oracle, on numbers around 1


@dataclass
class CheckFailed(Exception):
    """A check found something wrong.

    Attributes:
        message: one sentence that says what is wrong.
        facts: rows of a small table: a label such as "expected", and a text.
        observed: the code's result; the diagnosis compares it with the result of
            each known mistake.
    """

    message: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    observed: Any = None

    def __str__(self) -> str:
        return self.message


def expect_close(
    value: Any,
    expected: np.ndarray,
    call: str,
    *,
    tolerance: float = TOLERANCE,
    dtype: str = "float32",
) -> np.ndarray:
    """Requires a tensor with the expected shape, dtype and numbers; returns them.

    Args:
        value: the code's result.
        expected: the oracle's result.
        call: the call, as the report shows it.
        tolerance: largest error: relative for numbers above 1, absolute below.
        dtype: the dtype name that the tensor must have.

    Raises:
        CheckFailed: the type, shape, dtype or numbers are wrong.
    """
    got = expect_tensor(value, list(expected.shape), call, dtype=dtype)
    compare_numbers(got, expected, call, tolerance)
    return got


def expect_numbers(
    value: Any, expected: np.ndarray, call: str, *, tolerance: float = TOLERANCE
) -> np.ndarray:
    """Requires a NumPy array of the expected shape and numbers; returns them.

    Raises:
        CheckFailed: the type, shape, dtype or numbers are wrong.
    """
    got = expect_array(value, list(expected.shape), call)
    compare_numbers(got, expected, call, tolerance)
    return got


def compare_numbers(
    got: np.ndarray, expected: np.ndarray, call: str, tolerance: float
) -> None:
    """Requires numbers to be close, and infinite ones equal."""
    expected = expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        error = np.abs(got - expected) / np.maximum(1.0, np.abs(expected))
    error = np.where(got == expected, 0.0, error)  # equal infinities
    error = np.where(np.isnan(error), np.inf, error)
    if error.size and error.max() > tolerance:
        raise differs(got, expected, error, tolerance, call)


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


def expect_equal(value: Any, expected: Any, message: str, call: str) -> None:
    """Requires a plain value (a number, a text, a list) to equal ``expected``."""
    if isinstance(value, Array):
        value = value.values.tolist()
    if value != expected:
        facts = [("called", call), ("expected", repr(expected))]
        shown = kind_of(value) if isinstance(value, Remote) else repr(value)
        raise CheckFailed(message, [*facts, ("yours", shown)], repr(value))


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
    if yours != expected:
        raise CheckFailed(*parameter_difference(yours, expected, call))
    module.load(state)
    return module


def parameter_difference(
    yours: dict[str, list[int]], expected: dict[str, list[int]], call: str
) -> tuple[str, list[tuple[str, str]], Any]:
    """Describes which parameters are missing, unknown or of another shape."""
    facts = [("looked at", call)]
    for name in sorted(expected.keys() - yours.keys()):
        facts.append(("missing", f"{name} {expected[name]}"))
    for name in sorted(yours.keys() - expected.keys()):
        facts.append(("unknown", f"{name} {yours[name]}"))
    for name in sorted(yours.keys() & expected.keys()):
        if yours[name] != expected[name]:
            facts.append(("shape", f"{name} is {yours[name]}, not {expected[name]}"))
    message = "The parameters are not those that the checkpoint has."
    return message, facts[:9], sorted(yours.items())


def differs(
    got: np.ndarray,
    expected: np.ndarray,
    error: np.ndarray,
    tolerance: float,
    call: str,
) -> CheckFailed:
    """Describes where two arrays of the same shape differ most."""
    place = np.unravel_index(error.argmax(), error.shape)
    where = f" at {[int(i) for i in place]}" if place else ""
    share = (error > tolerance).mean()
    facts = [
        ("called", call),
        ("expected", f"{expected[place]:.6g}{where} (where it differs most)"),
        ("yours", f"{got[place]:.6g}"),
        ("differing", f"{share:.0%} of {error.size} numbers"),
    ]
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

"""Says which step is wrong if a model lacks parameters or methods."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from max.experimental.nn import Module

from gpt2.learner.step_errors import StepError

Shapes = Mapping[str, tuple[int, ...]]
# The beginning of a parameter's name, and the number of the step that makes it.
BLOCK = r"transformer\.h\.\d+\."
MAKERS = {
    rf"{BLOCK}attn\.c_attn\.": 7,
    rf"{BLOCK}attn\.": 9,
    rf"{BLOCK}mlp\.": 4,
    rf"{BLOCK}ln_[12]\.": 3,
    BLOCK: 11,
    r"transformer\.wte\.": 5,
    r"transformer\.wpe\.": 6,
    r"transformer\.ln_f\.": 3,
    r"transformer\.": 12,
    r"": 13,
}


def check_methods(model: Any) -> None:
    """Looks for classes of steps that lack ``forward``.

    Raises:
        StepError: the first of them. An error in the call would blame the caller.
    """
    for each in (model, *dict(model.descendants).values()):
        kind = type(each)
        if kind.forward is Module.forward and kind.__module__.startswith("steps."):
            step = kind.__module__.removeprefix("steps.")
            raise StepError(step, f"is not finished: {kind.__name__} has no forward")


def check_parameters(model: Any, weights: Mapping[str, Any]) -> None:
    """Compares the parameters of a GPT-2 with a checkpoint's.

    Raises:
        StepError: the first difference, with the step that makes the parameter.
    """
    have = {name: shape_of(parameter) for name, parameter in model.parameters}
    want = {name: shape_of(weight) for name, weight in weights.items()}
    for name in want:
        if name not in have:
            reason = f"the model has no parameter {name}"
            raise unfit(piece_of(name, have), model, reason)
    for name in have:
        if name not in want:
            reason = f"the model has a parameter {name}, and the checkpoint has none"
            raise unfit(piece_of(name, want), model, reason)
    for name, shape in want.items():
        if have[name] != shape:
            reason = f"{name} has the shape {list(have[name])}, not {list(shape)}"
            raise unfit(piece_of(name, want), model, reason)


def unfit(piece: str, model: Any, reason: str) -> StepError:
    """Returns the error for a piece of a model."""
    return StepError(maker(piece, model), f"does not fit the checkpoint: {reason}")


def shape_of(array: Any) -> tuple[int, ...]:
    """Returns the shape of a tensor or an array."""
    return tuple(map(int, array.shape))


def piece_of(name: str, others: Iterable[str]) -> str:
    """Returns the innermost piece around a parameter that has parameters elsewhere too.

    Step 07's piece is named by its layer, because its own name is in no parameter's.
    """
    piece = name.rpartition(".")[0]
    while piece and not any(other.startswith(f"{piece}.") for other in others):
        piece = piece.rpartition(".")[0]
    return f"{piece}.c_attn" if f"{piece}.c_attn." in name else piece


def maker(piece: str, model: Any) -> str:
    """Returns the step that makes a piece: of another class, the step around it."""
    number = next(n for start, n in MAKERS.items() if re.match(start, f"{piece}."))
    module = type(dict(model.descendants).get(piece)).__module__
    if module.startswith("steps.step_") and module != f"steps.step_{number:02}":
        return maker(piece.rpartition(".")[0], model)
    return f"step_{number:02}"

"""Checks of what a config.json says."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

from gpt2.checkpoint.errors import CheckpointError
from solutions.solution_01 import GPT2Config


def check_supported(
    settings: Mapping[str, Any],
    supported: Mapping[str, tuple[object, ...]],
    name: str,
    path: Path,
) -> None:
    """Raises ``CheckpointError`` for a variant of the model that is not built here.

    Args:
        settings: what the file says; a missing key stands for the first value.
        supported: the values that can be used, by key.
        name: the model's.
        path: the file.
    """
    for key, values in supported.items():
        if settings.get(key, values[0]) not in values:
            raise CheckpointError(
                f"{path} has {key} = {settings[key]!r}: the {name} of this course "
                f"needs {values[0]!r}"
            )


def check_sizes(
    config: GPT2Config, path: Path, names: Mapping[str, str] | None = None
) -> None:
    """Raises ``CheckpointError`` for an impossible size.

    Args:
        config: the sizes.
        path: the file.
        names: the file's names of sizes, where they differ.
    """
    called = names or {}
    for field, kind in get_type_hints(type(config)).items():
        value, name = getattr(config, field), called.get(field, field)
        if kind is bool and isinstance(value, bool):
            continue
        number = isinstance(value, kind) and math.isfinite(value) and value > 0
        if isinstance(value, bool) or not number:
            wanted = "true or false" if kind is bool else f"a positive {kind.__name__}"
            raise CheckpointError(f"{path} has {name} = {value!r}: it must be {wanted}")
    check_divides(config, path, "n_embd", "n_head", called)


def check_divides(
    config: GPT2Config, path: Path, whole: str, part: str, names: Mapping[str, str]
) -> None:
    """Raises ``CheckpointError`` unless one size divides another."""
    if getattr(config, whole) % getattr(config, part):
        raise CheckpointError(
            f"{path} has {names.get(whole, whole)} = {getattr(config, whole)}, which "
            f"{names.get(part, part)} = {getattr(config, part)} does not divide"
        )

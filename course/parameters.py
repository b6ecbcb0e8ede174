"""Explains how a module's parameters differ from a checkpoint's."""

from collections.abc import Mapping

Shapes = Mapping[str, list[int]]
# The numbers of a default GPT2Config, and what layers make of them.
DEFAULTS = {
    50257: "`vocab_size`",
    1024: "`n_positions`",
    768: "`n_embd`",
    2304: "3 · `n_embd`",
    3072: "`n_inner` (or 4 · `n_embd`)",
}


def explain_parameters(yours: Shapes, expected: Shapes) -> str | None:
    """Says in a sentence how the names or shapes differ; None if nothing is known.

    Args:
        yours, expected: the parameters' shapes by name.
    """
    missing = {name: expected[name] for name in expected if name not in yours}
    unknown = {name: yours[name] for name in yours if name not in expected}
    if missing or unknown:
        return other_names(missing, unknown)
    for name, shape in expected.items():
        if yours[name] != shape:
            return other_shape(name, yours[name], shape)
    return None


def other_names(missing: Shapes, unknown: Shapes) -> str | None:
    """Explains parameters whose names are not right."""
    if not unknown:
        return f"Yours has no {listed(missing)}."
    if not missing:
        return f"Yours has {listed(unknown)} too much."
    if part := extra_part(missing, unknown):
        return f"The names of yours have “{part}” too much."
    if part := extra_part(unknown, missing):
        return f"The names of yours lack “{part}”."
    for name, shape in missing.items():
        for other, its in unknown.items():
            if its == shape:
                return f"`{other}` has the shape of `{name}`; is it under another name?"
    return None


def extra_part(names: Shapes, longer: Shapes) -> str | None:
    """Returns the part, such as “qkv.”, that only the longer names have."""
    if len(names) != len(longer):
        return None
    parts = set()
    for name, long in zip(sorted(names), sorted(longer), strict=True):
        size = len(long) - len(name)
        cuts = {
            long[i : i + size]
            for i in range(len(name) + 1)
            if long[:i] + long[i + size :] == name
        }
        parts |= {cut for cut in cuts if cut.endswith(".")} or {""}
    return parts.pop() or None if len(parts) == 1 else None


def other_shape(name: str, yours: list[int], right: list[int]) -> str:
    """Explains a parameter whose shape is not right."""
    text = f"`{name}` is {yours}, and has to be {right}"
    if yours == right[::-1]:
        return f"{text}: its axes are exchanged."
    if [n for n in yours if n != 1] == right:
        return f"{text}: it has an axis of size 1 too much."
    if len(yours) != len(right):
        return f"{text}: it has {len(yours)} axes in place of {len(right)}."
    for mine, size in zip(yours, right, strict=True):
        if mine != size and mine in DEFAULTS:
            return f"{text}: {mine} is {DEFAULTS[mine]} of a default GPT2Config."
        if abs(mine - size) == 1:
            return f"{text}: it is one too {'small' if mine < size else 'large'}."
        if mine and (size % mine == 0 or mine % size == 0) and mine != size:
            more = size % mine == 0
            times = size // mine if more else mine // size
            return (
                f"{text}: it is {times} times {'too small' if more else 'too large'}."
            )
    return f"{text}."


def listed(names: Shapes) -> str:
    """The first names, as code."""
    shown = [f"`{name}`" for name in sorted(names)[:3]]
    return ", ".join(shown) + (" and others" if len(names) > 3 else "")

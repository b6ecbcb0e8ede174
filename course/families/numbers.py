"""Axes moved, constants off, and indices, slices and loops one place away."""

import ast
from collections.abc import Iterator

from course.families.places import Change, Place
from course.families.words import call_of, called, phrase

# The axes that are mistaken for another. Some functions only have arrays of two axes.
AXES = {-1: (-2, 0, 1), -2: (-1, 0, 1), 0: (1,), 1: (0,), 2: (1, 3)}
FLAT = {
    "_best_continuations",
    "_log_softmax",
    "generate_next_token",
    "generate_tokens",
    "generate_with_cache",
}
PAIRS = ((-1, -2), (1, 2), (0, 1))


def number(node: ast.AST | None) -> int | float | None:
    """Returns the number that a node writes down, or None."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(value=int() | float() as value)):
            return -value
    return None


def axes(place: Place) -> Iterator[Change]:
    """Moves the axis of an operation."""
    if not isinstance(call := place.node, ast.Call):
        return
    for keyword in call.keywords:
        if keyword.arg == "axis" and isinstance(old := number(keyword.value), int):
            flat = place.function is not None and place.function.name in FLAT
            for new in AXES[old % 2 if flat else old]:
                says = f"{call_of(call, place)} works along axis {new}; it has to be "
                yield Change(((keyword.value, str(new)),), f"{says}axis {old}.")


def transposed_axes(place: Place) -> Iterator[Change]:
    """Exchanges other axes."""
    match place.node:
        case ast.Call(ast.Attribute(value=of, attr="transpose"), [first, second]):
            right = number(first), number(second)
            for a, b in PAIRS:
                if {a, b} != set(right):
                    says = f"Axes {a} and {b} of {phrase(of, place)} are exchanged; "
                    yield Change(
                        ((first, str(a)), (second, str(b))),
                        f"{says}it has to be axes {right[0]} and {right[1]}.",
                    )


def constants(place: Place) -> Iterator[Change]:
    """Writes a number one too high, one too low or doubled."""
    old = number(place.node)
    match place.parent, old:
        case ast.Call() as call, int() if place.node in call.args:
            if ast.unparse(call.func).endswith(("transpose", "range", "_k_filter")):
                return
            for new in sorted({old + 1, max(old - 1, 0)} - {old}):
                says = f"{called(call)} is given {new}; it has to be {old}."
                yield place.change(str(new), says)
        case ast.BinOp(op=ast.Mult()) as product, int():
            other = product.right if product.left is place.node else product.left
            words = phrase(other, place)
            for new in (old - 1, old + 1):
                says = f"The factor of {words} is {new}; it has to be {old}."
                yield place.change(str(new), says)


def defaults(place: Place) -> Iterator[Change]:
    """Gives an argument another default."""
    if not isinstance(place.parent, ast.arguments):
        return
    given, owner = place.parent, place.around[-2]
    positional = given.args[len(given.args) - len(given.defaults) :]
    pairs = [
        *zip(positional, given.defaults, strict=True),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    name = next((arg.arg for arg, node in pairs if node is place.node), None)
    if name is None or not isinstance(owner, ast.FunctionDef):
        return
    for new in other_defaults(place.node):
        says = f"The default of `{name}` is {new}; it has to be "
        yield place.change(new, f"{says}{ast.unparse(place.node)}.")


def other_defaults(node: ast.AST) -> list[str]:
    """Lists wrong defaults beside a right one."""
    match node:
        case ast.Constant(value=bool(value)):
            return [repr(not value)]
        case ast.Constant(value=float(value)):
            if value in (0.0, 1.0):
                return [repr(1 - value)]
            return [f"{value / 10:g}", f"{value * 10:g}"]
        case ast.Constant(value=int(value)):
            return [repr(value + 1), repr(value * 2)] if value else ["1"]
    return []


def indices(place: Place) -> Iterator[Change]:
    """Takes a neighbour instead, or the other end."""
    node = place.node
    if not isinstance(old := number(node), int) or not in_index(place):
        return
    whole = (
        place.parent if isinstance(place.parent, ast.Subscript) else place.around[-2]
    )
    if not isinstance(whole, ast.Subscript) or is_shape(whole.value):
        return
    if any(is_shape(node) for node in place.around):  # the sizes of all are the same
        return
    others = {0: [1, -1], -1: [0, -2], 1: [0], 2: [1]}.get(old, [])
    words = phrase(whole.value, place)
    for new in others:
        what = f" for {target}" if (target := assigned(place)) else ""
        says = f"The code takes index {new} of {words}{what}; it has to be {old}."
        yield place.change(str(new), says)


def assigned(place: Place) -> str:
    """The name that a place's line gives a value to, as code; "" if there is none."""
    for node in place.around:
        match node:
            case ast.Assign([ast.Name(id=name)]):
                return f"`{name}`"
    return ""


def sizes(place: Place) -> Iterator[Change]:
    """Takes the size of another axis from a shape."""
    match place.node:
        case ast.Subscript(value=of, slice=index) if is_shape(of):
            if not isinstance(old := number(index), int):
                return
            for new in {-1: [-2], -2: [-1], 1: [0], 0: [1]}[old]:
                words = phrase(of.value, place)  # type: ignore[attr-defined]
                says = f"The size of axis {new} of {words} is taken; it has to be that "
                yield Change(((index, str(new)),), f"{says}of axis {old}.")


def slices(place: Place) -> Iterator[Change]:
    """Cuts one place too early or too late, at the other side, or not at all."""
    match place.node:
        case ast.Subscript(value=of, slice=ast.Slice(lower=None, upper=upper)) if upper:
            words, end = phrase(of, place), ast.unparse(upper)
            for step, many in ("- 1", "few"), ("+ 1", "many"):
                new = f"{end} {step}"
                yield Change(
                    ((upper, new),), f"One item too {many} of {words} is kept."
                )
            yield place.change(of, f"No part of {words} is cut off.")


def loops(place: Place) -> Iterator[Change]:
    """Runs a loop once too often, once too few, from 1, or backwards."""
    if not isinstance(place.parent, ast.For | ast.comprehension):
        return
    if place.parent.iter is not place.node:
        return
    new: ast.AST | str
    match place.node:
        case ast.Call(ast.Name(id="range"), [stop]):
            count = ast.unparse(stop)
            few, many = (
                "The loop runs one time too few.",
                "The loop runs one time too many.",
            )
            match place.around[-2]:
                case ast.ListComp(elt=ast.Call() as made):
                    few = f"One {called(made)} too few is made."
                    many = f"One {called(made)} too many is made."
            yield place.change(f"range({count} - 1)", few)
            yield place.change(f"range({count} + 1)", many)
        case ast.Call(ast.Name(id="range"), [first, stop]):
            begin, end = ast.unparse(first), ast.unparse(stop)
            says = f"The loop counts from 0; it has to begin at {begin}."
            yield place.change(f"range({end})", says)
            new = end.removesuffix(" + 1")
            says = "The loop ends one round too early."
            yield place.change(f"range({begin}, {new})", says)
            says = "The loop runs one round too long."
            yield place.change(f"range({begin}, {new} + 2)", says)
        case ast.Attribute() | ast.Name() if isinstance(place.parent, ast.For):
            code, words = ast.unparse(place.node), phrase(place.node, place)
            says = f"The last of {words} is never used."
            yield place.change(f"list({code})[:-1]", says)
            says = f"The first of {words} is never used."
            yield place.change(f"list({code})[1:]", says)
            says = f"The loop goes through {words} backwards."
            yield place.change(f"reversed(list({code}))", says)


def in_index(place: Place) -> bool:
    """Says whether a node is an index, alone or in a tuple of indices."""
    if isinstance(place.parent, ast.Subscript):
        return place.parent.slice is place.node
    if isinstance(place.parent, ast.Tuple):
        outer = place.around[-2]
        return isinstance(outer, ast.Subscript) and outer.slice is place.parent
    return False


def is_shape(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "shape"


OPERATORS = (
    axes,
    transposed_axes,
    constants,
    defaults,
    indices,
    sizes,
    slices,
    loops,
)

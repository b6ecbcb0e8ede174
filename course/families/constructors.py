"""Modules that are shared, not made, or made without a part; fields of a dataclass."""

import ast
from collections.abc import Iterator

from course.families.places import Change, Place
from course.families.words import called


def shared(place: Place) -> Iterator[Change]:
    """Makes one module, and uses it in several places."""
    match place.node:
        case ast.ListComp(
            ast.Call() as made, [ast.comprehension(iter=ast.Call() as c)]
        ):
            count = ast.unparse(c.args[-1])
            says = f"One {called(made)} is used for all layers; each needs its own."
            yield place.change(f"[{ast.unparse(made)}] * {count}", says)
        case ast.Assign([target], ast.Call() as made) if place.in_constructor:
            for other in earlier(place):
                if ast.unparse(other.value) == ast.unparse(made):
                    name = ast.unparse(other.targets[0])
                    says = f"`{name}` and `{ast.unparse(target)}` are one and the same "
                    yield Change(((made, name),), f"{says}module; make two.")


def earlier(place: Place) -> list[ast.Assign]:
    """Returns the assignments before a line of a constructor."""
    assert place.function is not None
    lines = [n for n in place.function.body if isinstance(n, ast.Assign)]
    return lines[: lines.index(place.node)] if place.node in lines else []


def not_made(place: Place) -> Iterator[Change]:
    """Leaves an attribute out of a constructor."""
    match place.node:
        case ast.Assign([ast.Attribute(ast.Name(id="self")) as target]):
            if place.in_constructor:
                name = ast.unparse(target)
                says = f"`{name}` is no parameter or layer: `__init__` has to make it."
                if derived(place):
                    says = f"`{ast.unparse(target)}` is not replaced: that of the "
                    says += "inherited class stays."
                yield place.change("pass", says)


def without_bias(place: Place) -> Iterator[Change]:
    """Makes a layer without a bias."""
    match place.node, place.parent:
        case ast.Call(ast.Name(id="Linear") as func, args, keywords), ast.Assign(
            [to], _
        ):
            if any(keyword.arg == "bias" for keyword in keywords):
                return
            new = ast.Call(
                func,
                args,
                [*keywords, ast.keyword("bias", ast.Constant(value=False))],
            )
            yield place.change(new, f"`{ast.unparse(to)}` is made without a bias.")


def fields(place: Place) -> Iterator[Change]:
    """Leaves out a field, its default or its type, or exchanges neighbours."""
    if not isinstance(place.parent, ast.ClassDef):
        return
    match place.node:
        case ast.AnnAssign(ast.Name(id=name), value=ast.Constant() as default):
            value = ast.unparse(default)
            yield place.change("pass", f"The field `{name}` is missing.")
            typed = ast.unparse(place.node.annotation)
            says = f"`{name}` has no default; it has to be {value}."
            yield place.change(f"{name}: {typed}", says)
            says = f"`{name}` is no field: it has no type, or one that makes no field."
            yield place.change(f"{name} = {value}", says)
            lines = place.parent.body
            index = lines.index(place.node)
            after = lines[index + 1] if index + 1 < len(lines) else None
            if isinstance(after, ast.AnnAssign) and after.value:
                second = ast.unparse(after.target)
                says = f"The fields `{name}` and `{second}` are in the wrong order."
                yield Change(
                    (
                        (place.node, ast.unparse(after)),
                        (after, ast.unparse(place.node)),
                    ),
                    says,
                )
                if ast.unparse(after.value) != ast.unparse(default):
                    says = f"The defaults of `{name}` and `{second}` are exchanged."
                    edits = (
                        (default, ast.unparse(after.value)),
                        (after.value, value),
                    )
                    yield Change(edits, says)


def derived(place: Place) -> bool:
    """Says whether a constructor first calls that of the class it inherits from."""
    assert place.function is not None
    return "super()" in ast.unparse(place.function.body[0])


OPERATORS = (shared, not_made, without_bias, fields)

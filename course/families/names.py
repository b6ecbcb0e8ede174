"""Names taken for others of the same kind."""

import ast
from collections.abc import Iterator, Sequence
from functools import cache

from course.families.places import Change, Place
from course.families.words import are, phrase, sentence

# Names that are taken for each other, beside those of one type.
NAMES = [
    {"query", "key", "value"},
    {"self.attn", "self.mlp"},
    {"self.wte", "self.wpe"},
    {"config.n_embd", "config.n_inner"},
    {"config.n_layer", "config.n_head"},
    {"config.n_positions", "config.vocab_size"},
    {"rows", "tokens"},
    {"input_ids", "next_ids"},
    {"input_ids", "new_ids"},
    {"scores", "sums"},
    {"scores", "logits"},
    {"centered", "normalized"},
    {"logits", "probabilities"},
    {"self.weight", "self.bias"},
]
# Names that are exchanged, yet not used in each other's place.
SIZES = [{"batch", "length"}, {"start", "stop"}]


def other_name(place: Place) -> Iterator[Change]:
    """Uses another value of the same kind."""
    if not isinstance(getattr(place.node, "ctx", None), ast.Load) or is_called_on(
        place
    ):
        return
    if not isinstance(place.node, ast.Name | ast.Attribute) or is_listed(place):
        return
    for other in sorted(alternatives(place)):
        right = phrase(place.node, place)
        wrong = phrase(ast.parse(other, mode="eval").body, place)
        belongs = "belong" if are(right) == "are" else "belongs"
        says = f"{wrong} {are(wrong)} used where {right} {belongs}."
        yield place.change(other, sentence(says))


def exchanged_names(place: Place) -> Iterator[Change]:
    """Exchanges two names of the same kind in a whole statement."""
    if not isinstance(place.node, ast.stmt) or hasattr(place.node, "body"):
        return
    found: dict[str, list[ast.AST]] = {}
    for node in ast.walk(place.node):
        is_name = isinstance(node, ast.Name | ast.Attribute)
        if is_name and isinstance(getattr(node, "ctx", None), ast.Load):
            found.setdefault(ast.unparse(node), []).append(node)
    names = sorted(found)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            if b in kin(a, place, SIZES) and not commute(place.node, a, b):
                edits = [(node, b) for node in found[a]] + [(n, a) for n in found[b]]
                words = [
                    phrase(ast.parse(each, mode="eval").body, place) for each in (a, b)
                ]
                says = f"{words[0]} and {words[1]} are exchanged."
                yield Change(tuple(edits), sentence(says))


def commute(line: ast.stmt, a: str, b: str) -> bool:
    """Says whether two names are the two operands of one sum or product."""
    return any(
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add | ast.Mult)
        and {ast.unparse(node.left), ast.unparse(node.right)} == {a, b}
        for node in ast.walk(line)
    )


def alternatives(place: Place) -> set[str]:
    """Returns the names that stand for values of the same kind, in scope."""
    return kin(ast.unparse(place.node), place)


def kin(name: str, place: Place, more: Sequence[set[str]] = ()) -> set[str]:
    """Returns the names that are taken for ``name`` in a function."""
    groups = [*NAMES, *more, *same_types(place)]
    found = {other for group in groups if name in group for other in group} - {name}
    return {other for other in found if in_scope(other, place)}


def same_types(place: Place) -> list[set[str]]:
    """Groups the parameters, and the attributes of ``self``, that have one type."""
    return groups_of(place.function, place.owner)


@cache
def groups_of(
    function: ast.FunctionDef | None, owner: ast.ClassDef | None
) -> list[set[str]]:
    types: dict[str, set[str]] = {}
    for argument in ast.walk(function.args) if function else []:
        if isinstance(argument, ast.arg) and argument.annotation:
            kind = ast.unparse(argument.annotation)
            types.setdefault(kind, set()).add(argument.arg)
    for line in owner.body if owner else []:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            kind = f"self: {ast.unparse(line.annotation)}"
            types.setdefault(kind, set()).add(f"self.{line.target.id}")
    return [
        group for kind, group in types.items() if not kind.startswith(("int", "fl"))
    ]


def in_scope(name: str, place: Place) -> bool:
    """Says whether a name has a value where the place is."""
    root, _, rest = name.partition(".")
    if (
        root == "self"
        and place.owner
        and "Module[" in ast.unparse(place.owner.bases[0])
    ):
        return rest in attributes(place.owner)
    if root in ("self", "np", "DType", "config") or root in place.parameters:
        return True
    if place.function is None:
        return False
    line = getattr(place.node, "lineno", 0)
    return first_lines(place.function).get(root, line) < line


@cache
def attributes(owner: ast.ClassDef) -> set[str]:
    """Returns the names of a class's attributes."""
    nodes = list(ast.walk(owner))
    declared = {n.target.id for n in nodes if isinstance(n, ast.AnnAssign)}  # type: ignore[union-attr]
    return declared | {n.attr for n in nodes if isinstance(n, ast.Attribute)}


@cache
def first_lines(function: ast.FunctionDef) -> dict[str, int]:
    """Returns the line in which each variable of a function gets its first value."""
    found: dict[str, int] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = min(node.lineno, found.get(node.id, node.lineno))
    return found


def is_called_on(place: Place) -> bool:
    """Says whether a name only gives its size, dtype or device."""
    parent = place.parent
    if isinstance(parent, ast.Call) and ast.unparse(parent.func) == "len":
        return True
    return isinstance(parent, ast.Attribute) and parent.attr in (
        "shape",
        "dtype",
        "device",
        "append",
        "extend",
    )


def is_listed(place: Place) -> bool:
    """Says whether a name stands in a pair or a list of another function's parts."""
    inner = isinstance(place.parent, ast.Tuple | ast.List)
    return inner and isinstance(place.around[-2], ast.Tuple | ast.Call)


OPERATORS = (other_name, exchanged_names)

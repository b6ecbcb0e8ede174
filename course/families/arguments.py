"""Arguments ignored, written down as a number, exchanged, or others of their kind."""

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from course.families.places import Change, Place
from course.families.words import are, called, phrase, sentence
from course.registry import ROOT, find_exercise

# Names that are taken for each other, beside those of one type.
NAMES = [
    {"query", "key", "value"},
    {"self.attn", "self.mlp"},
    {"self.wte", "self.wpe"},
    {"config.n_embd", "config.n_inner"},
    {"config.n_layer", "config.n_head"},
    {"config.n_positions", "config.vocab_size"},
    {"rows", "tokens"},
    {"start", "stop"},
    {"input_ids", "next_ids"},
    {"input_ids", "new_ids"},
    {"scores", "sums"},
    {"scores", "logits"},
    {"centered", "normalized"},
    {"logits", "probabilities"},
    {"DType.int64", "DType.float32"},
    {"self.weight", "self.bias"},
]
# Names that are exchanged, yet not used in each other's place.
SIZES = [{"batch", "length"}]
# Numbers that are easily one too high or too low.
COUNTS = {
    "count",
    "earlier",
    "input_ids",
    "k",
    "length",
    "num_tokens",
    "positions",
    "sequence_length",
}
# Keywords whose absence no check sees: equals come in any order, on one device.
UNSEEN = {"device", "kind"}


def ignored(place: Place) -> Iterator[Change]:
    """Leaves a keyword argument out, so that the function's default stays."""
    if not isinstance(call := place.node, ast.Call):
        return
    for keyword in call.keywords:
        if keyword.arg and keyword.arg not in UNSEEN and not is_default(keyword, call):
            rest = [other for other in call.keywords if other is not keyword]
            says = f"{called(call)} gets no `{keyword.arg}`; the default stays."
            yield place.change(ast.Call(call.func, call.args, rest), says)


def in_gather(call: ast.AST) -> bool:
    return isinstance(call, ast.Call) and ast.unparse(call.func) == "F.gather"


def is_default(keyword: ast.keyword, call: ast.Call) -> bool:
    """Says whether a keyword is MAX's default: the last axis."""
    ours = ast.unparse(call.func).startswith("F.")
    return ours and keyword.arg == "axis" and ast.unparse(keyword.value) == "-1"


def off_by_one(place: Place) -> Iterator[Change]:
    """Uses a count, or ids, one higher or one lower."""
    if not isinstance(place.node, ast.Name) or place.node.id not in COUNTS:
        return
    if not isinstance(place.node.ctx, ast.Load) or is_called_on(place):
        return
    if isinstance(place.parent, ast.List | ast.Compare | ast.BinOp):
        return
    if place.node.id == "input_ids" and not in_gather(place.parent):
        return
    words = phrase(place.node, place)
    for sign, says in (
        ("+", f"One is added to {words}"),
        (
            "-",
            f"One is subtracted from {words}",
        ),
    ):
        new = ast.parse(f"{place.node.id} {sign} 1", mode="eval").body
        pronoun = "they have" if are(words) == "are" else "it has"
        yield place.change(new, f"{says}; {pronoun} to be used unchanged.")


def written_down(place: Place) -> Iterator[Change]:
    """Uses an argument's default, or GPT-2's size, whatever the argument is."""
    if not isinstance(getattr(place.node, "ctx", None), ast.Load):
        return
    match place.node:
        case ast.Name(id=name):
            if (default := default_of(name, place)) is not None:
                says = f"`{name}` is not used: {default} stands in its place."
                yield place.change(default, says)
        case ast.Attribute(value=ast.Name(id="config"), attr=name):
            value = gpt2_sizes()[name]
            says = f"`config.{name}` is not used: {value} stands in its place."
            yield place.change(value, says)


def exchanged(place: Place) -> Iterator[Change]:
    """Exchanges two arguments of a call, or two items of a list or a tuple."""
    match place.node:
        case ast.Call(args=[a, b]) as call if in_order(call):
            if ast.unparse(a) == ast.unparse(b) or isinstance(b, ast.Constant):
                return
            says = f"The two arguments of {called(call)} are exchanged."
            yield swap(a, b, says)
        case ast.Call(args=[_, a, b, *_]) as call if in_order(call):
            says = f"{phrase(a, place)} and {phrase(b, place)} are exchanged in "
            yield swap(a, b, sentence(f"{says}{called(call)}."))
        case ast.List(elts=[a, b]) if not isinstance(b, ast.Constant):
            says = f"{phrase(a, place)} stands after {phrase(b, place)}; it has to "
            yield swap(a, b, sentence(f"{says}stand before."))
        case ast.List(elts=[_, *rest]) if len(rest) > 1:
            for a, b in pairwise(rest):
                says = f"{phrase(a, place)} stands after {phrase(b, place)}; it has to "
                yield swap(a, b, sentence(f"{says}stand before."))


def results(place: Place) -> Iterator[Change]:
    """Exchanges two results, or returns one alone."""
    if not isinstance(items := place.node, ast.Tuple):
        return
    if not isinstance(place.parent, ast.Return) and not isinstance(
        place.parent, ast.Tuple | ast.List
    ):
        return
    elements = items.elts
    for i, a in enumerate(elements):
        for b in elements[i + 1 :]:
            words = f"{phrase(a, place)} and {phrase(b, place)}"
            yield swap(a, b, sentence(f"{words} come back in the wrong order."))
    if not isinstance(place.parent, ast.Return):
        return
    for kept in elements:
        lost = [phrase(each, place) for each in elements if each is not kept]
        missing = f"{' and '.join(lost)} {'are' if len(lost) > 1 else are(lost[0])}"
        says = (
            f"Only {phrase(kept, place)} {comes(kept, place)} back; {missing} missing."
        )
        yield place.change(kept, says)


def other_name(place: Place) -> Iterator[Change]:
    """Uses another value of the same kind."""
    if not isinstance(getattr(place.node, "ctx", None), ast.Load) or is_called_on(
        place
    ):
        return
    if not isinstance(place.node, ast.Name | ast.Attribute) or is_listed(place):
        return
    for other in alternatives(place):
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


def in_order(call: ast.Call) -> bool:
    """Says whether the order of a call's arguments is easily mistaken."""
    name = ast.unparse(call.func)
    known = ("transpose", "range", "arange", "F.broadcast_to", "sorted", "self.attn")
    ours = ("reshape", "_keep", "_filter", "_scale", "_penalty", "isinstance")
    if name.endswith((*known, *ours)):
        return False
    return not any(isinstance(a, ast.Starred) for a in call.args)


def swap(a: ast.expr, b: ast.expr, says: str) -> Change:
    """Makes the change that exchanges two expressions."""
    return Change(((a, ast.unparse(b)), (b, ast.unparse(a))), says)


def default_of(name: str, place: Place) -> str | None:
    """Returns a parameter's default as text, unless it is None."""
    if place.function is None:
        return None
    given = place.function.args
    for argument, default in [
        *zip(reversed(given.args), reversed(given.defaults), strict=False),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]:
        if argument.arg == name and isinstance(default, ast.Constant):
            return None if default.value is None else ast.unparse(default)
    return None


@cache
def gpt2_sizes() -> dict[str, str]:
    """Returns the defaults of step 01's fields as text."""
    text = (ROOT / find_exercise("01").solution_path).read_text(encoding="utf-8")
    lines = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.AnnAssign)]
    return {ast.unparse(n.target): ast.unparse(n.value) for n in lines if n.value}


def comes(node: ast.AST, place: Place) -> str:
    return "come" if are(phrase(node, place)) == "are" else "comes"


OPERATORS = (
    ignored,
    off_by_one,
    written_down,
    exchanged,
    results,
    other_name,
    exchanged_names,
)

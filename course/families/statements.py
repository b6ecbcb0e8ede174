"""Lines left out or exchanged, early returns, conditions, and results that are kept."""

import ast
from collections.abc import Iterator
from itertools import pairwise

from course.families.operands import asked
from course.families.places import Change, Place
from course.families.words import are, called, held, phrase, sentence

# Local variables that a learner may think are the same in every call.
KEPT = {"mask", "positions", "rng", "ended", "finished", "extended", "seen", "order"}


def early_return(place: Place) -> Iterator[Change]:
    """Returns an intermediate result."""
    if not isinstance(place.parent, ast.FunctionDef) or place.in_constructor:
        return
    match place.node:
        case ast.Assign([ast.Name(id=name)], value) if name not in KEPT:
            if is_intermediate(name, value, place):
                words = held(name, place) or phrase(value, place)
                says = f"The function returns {words}; what comes after is missing."
                new = f"return {ast.unparse(value)}"
                yield Change(((place.node, new),), says)


def is_intermediate(name: str, value: ast.expr, place: Place) -> bool:
    """Says whether a variable holds a result on the way, and no size."""
    sizes = {"length", "earlier", "shape", "start", "stop", "head_size", "body"}
    if name in sizes or isinstance(value, ast.Constant):
        return False
    body = place.parent.body  # type: ignore[attr-defined]
    after = body[body.index(place.node) + 1 :]
    return bool(after) and not is_chained(after[0], name)


def is_chained(line: ast.stmt, name: str) -> bool:
    """Says whether a line is ``name = f(name, …)``."""
    return name in stored(line) and isinstance(line, ast.Assign) and is_plain_call(line)


def exchanged_lines(place: Place) -> Iterator[Change]:
    """Exchanges two lines that follow each other, where both ways can run."""
    first = place.node
    if not isinstance(first, ast.Assign | ast.AugAssign | ast.Expr):
        return
    body = next(f for _, f in ast.iter_fields(place.parent) if has(f, first))
    second = dict(pairwise(body)).get(first)
    if not isinstance(second, ast.Assign | ast.AugAssign | ast.Expr | ast.Return):
        return
    one, other = kernel(first), kernel(second)
    if isinstance(second, ast.Return):
        yield from before_return(first, second, place)
    elif stored(first) == stored(second) and (
        stored(first) & loaded(second) & loaded(first)
    ):
        words = naming(one, other, place)
        says = f"{words[1]} comes before {words[0]}; it has to come after."
        edits = ((first, ast.unparse(second)), (second, ast.unparse(first)))
        yield Change(edits, sentence(says))


def before_return(
    first: ast.stmt, second: ast.Return, place: Place
) -> Iterator[Change]:
    """Exchanges a line ``x = f(x)`` with the ``return g(x)`` after it."""
    match first, second:
        case ast.Assign([ast.Name(id=name)], value), ast.Return(ast.Call() as e):
            if name in loaded(second) and name in loaded(first):
                words = naming(kernel(first), kernel(second), place)
                says = f"{words[1]} comes before {words[0]}; it has to come after."
                new = f"{name} = {ast.unparse(e)}"
                edits = ((first, new), (second, f"return {ast.unparse(value)}"))
                yield Change(edits, sentence(says))


def left_out(place: Place) -> Iterator[Change]:
    """Leaves out a line that changes something."""
    if place.in_constructor and isinstance(place.node, ast.Assign):
        return
    match place.node:
        case ast.Expr(ast.Call(ast.Attribute(value=to, attr="append"), [item])):
            what = phrase(item, place)
            says = f"{what} {are(what)} not appended to {phrase(to, place)}."
        case ast.Expr(ast.Call(func)):
            says = f"`{ast.unparse(func)}` is not called."
        case ast.Assign([target], value) if stored(place.node) & loaded(place.node):
            if isinstance(target, ast.Tuple) or isinstance(value, ast.BoolOp):
                return
            if is_plain_call(place.node):
                return  # the call is left out, elsewhere
            words = phrase(target, place)
            does = "do" if are(words) == "are" else "does"
            says = f"{words} {does} not get {phrase(value, place)}."
        case _:
            return
    yield place.change("pass", sentence(says))


def conditions(place: Place) -> Iterator[Change]:
    """Takes a condition for its opposite, for always true, or for always false."""
    match place.parent:
        case ast.If(test=test) | ast.IfExp(test=test) if test is place.node:
            question = asked(test, place)
        case _:
            return
    does = what_happens(place)
    who = "the code"
    negated = ast.UnaryOp(ast.Not(), test)
    says = f"A condition is the wrong way round; {who} has to ask {question}."
    if isinstance(place.parent, ast.If):
        yield place.change(negated, says)
    for new, often in ("True", "always"), ("False", "never"):
        says = f"{does.format(often)}; {who} has to ask {question}."
        yield place.change(new, sentence(says))


def what_happens(place: Place) -> str:
    """Says what a condition decides about, with a gap for "always" or "never"."""
    match place.parent:
        case ast.IfExp(body=body):
            return f"the code {{}} takes {phrase(body, place)}"
        case ast.If(body=[ast.Break()]):
            return "the loop {} ends early"
        case ast.If(body=[ast.Return(value=value)]) if value:
            return f"the code {{}} returns {phrase(value, place)}"
    return "the lines below `if` {} run"


def kept(place: Place) -> Iterator[Change]:
    """Keeps what one call has made for all later calls."""
    if not isinstance(place.parent, ast.FunctionDef):
        return
    for target, value in first_values(place.node):
        if isinstance(target, ast.Name) and target.id in KEPT:
            words = phrase(target, place)
            again = "them anew" if are(words) == "are" else "it anew"
            says = f"{words} {are(words)} made once and kept; every call has to make "
            new = f"globals().setdefault('_{target.id}', {ast.unparse(value)})"
            yield Change(((value, new),), sentence(f"{says}{again}."))


def first_values(line: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    """Pairs the targets of an assignment with their values."""
    match line:
        case ast.Assign([ast.Tuple(elts=targets)], ast.Tuple(elts=values)):
            return list(zip(targets, values, strict=True))
        case ast.Assign([target], value) | ast.AnnAssign(
            target, value=ast.expr() as value
        ):
            return [(target, value)]
    return []


def naming(a: ast.AST | None, b: ast.AST | None, place: Place) -> tuple[str, str]:
    """Names two lines by their calls, or by the calls' last arguments."""
    if isinstance(a, ast.Call) and isinstance(b, ast.Call):
        if called(a) != called(b):
            return called(a), called(b)
        if a.args and b.args:
            return phrase(a.args[-1], place), phrase(b.args[-1], place)
    return "the line before", "the line after"


def kernel(line: ast.stmt) -> ast.AST | None:
    """Returns the value that a line computes."""
    return getattr(line, "value", None)


def stored(line: ast.stmt) -> set[str]:
    """Returns the names that a line gives a value."""
    targets = line.targets if isinstance(line, ast.Assign) else [line]
    names = [n for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
    return {n.id for n in names if isinstance(n.ctx, ast.Store)}


def loaded(line: ast.stmt) -> set[str]:
    """Returns the names that a line reads."""
    names = [n for n in ast.walk(line) if isinstance(n, ast.Name)]
    return {n.id for n in names if isinstance(n.ctx, ast.Load)}


def is_plain_call(line: ast.Assign) -> bool:
    """Says whether a line is ``x = f(x, …)``."""
    match line:
        case ast.Assign([ast.Name(id=name)], ast.Call(args=[ast.Name(id=first), *_])):
            return name == first
    return False


def has(field: object, node: ast.AST) -> bool:
    return isinstance(field, list) and any(each is node for each in field)


OPERATORS = (early_return, exchanged_lines, left_out, conditions, kept)

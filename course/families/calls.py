"""Calls left out, made twice, or made of another function."""

import ast
from collections.abc import Iterator

from course.families.places import Change, Place
from course.families.words import are, call_of, called, phrase, sentence

# What the sentence says where a call of this name is left out.
MISSING = {
    "sqrt": "The root of {x} is not taken.",
    "transpose": "{x} {is_} not transposed.",
    "broadcast_to": "{x} {is_} not spread to the whole shape.",
    "reshape": "{x} {is_} not reshaped.",
    "exp": "The exponential of {x} is not taken.",
    "log": "The logarithm of {x} is not taken.",
    "softmax": "Softmax is not applied to {x}.",
    "sorted": "{x} {is_} not sorted.",
    "Tensor": "{x} {is_} not made a tensor.",
    "to_numpy": "{x} {is_} not made a NumPy array.",
    "any": "`any` is missing: the array of answers is used as one answer.",
    "all": "`all` is missing: the array of answers is used as one answer.",
}
# Functions whose result is of another kind than their first argument, or has the same
# numbers.
NOT_LEFT_OUT = {
    "ModuleList",
    "arange",
    "argmax",
    "argsort",
    "array",
    "astype",
    "attend_with_context",
    "causal_mask",
    "choice",
    "compute_attention",
    "copy",
    "count_nonzero",
    "enumerate",
    "flatnonzero",
    "float",
    "full_like",
    "gather",
    "generate_next_token",
    "int",
    "len",
    "model",
    "next_logits",
    "ones",
    "range",
    "tolist",
    "unique",
    "unravel_index",
    "where",
    "zeros",
}
# The functions that are taken for each other.
TAKEN_FOR: dict[str, list[str]] = {
    "all": ["any"],
    "any": ["all"],
    "max": ["min"],
    "mean": ["sum"],
    "min": ["max"],
    "ones": ["zeros"],
    "rsqrt": ["sqrt"],
    "softmax": ["logsoftmax"],
    "sum": ["mean", "max"],
    "zeros": ["ones"],
}


def left_out(place: Place) -> Iterator[Change]:
    """Leaves a call out, so that its first argument stays as it is."""
    if not isinstance(call := place.node, ast.Call) or is_skipped(place):
        return
    if (of := subject(call)) is None:
        return
    words = phrase(of, place)
    usual = "{f} is not applied to {x}."
    if len(call.args) > 1 and of is call.args[0]:
        usual = "{f}{which} is not called: {x} {is_} used in the place of its result."
    says = MISSING.get(plain_name(call), usual)
    if is_module(call.func):
        says = "{f} is never used: {x} {is_} handed on as {pronoun}."
    filled = says.format(
        x=words,
        is_=are(words),
        f=called(call),
        which=which_call(call, place),
        pronoun="they are" if are(words) == "are" else "it is",
    )
    yield place.change(of, sentence(filled))


def twice(place: Place) -> Iterator[Change]:
    """Applies a module or a function of one argument twice."""
    match place.node:
        case ast.Call(func, [ast.expr() as of], []) as call if repeats(func, place):
            new = ast.Call(func, [call], [])
            if not isinstance(of, ast.Starred):
                says = f"{called(call)} is applied twice; it has to be once."
                yield place.change(new, says)


def other_function(place: Place) -> Iterator[Change]:
    """Calls another function in the place of the right one."""
    match place.node:
        case ast.Call(func=ast.Attribute(value=of, attr=name)):
            for other in TAKEN_FOR.get(name, []):
                new = ast.unparse(ast.Attribute(of, other))
                shown = called(ast.Call(ast.Attribute(of, other), [], []))
                says = f"{shown} is used where {call_of(place.node, place)} belongs."
                yield Change(((place.node.func, new),), says)


def which_call(call: ast.Call, place: Place) -> str:
    """Says with which last argument a function is called, if it is called again."""
    again = call_of(call, place) != called(call)
    return f" with {phrase(call.args[-1], place)}" if again and call.args else ""


def subject(call: ast.Call) -> ast.expr | None:
    """Returns the value that stays if a call is left out."""
    name = plain_name(call)
    if name in NOT_LEFT_OUT:
        return None
    match call.func:
        case ast.Attribute(value=ast.Name(id="F" | "np" | "Tensor" | "self" | "rng")):
            return first_argument(call)
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="np"))):
            return None
        case ast.Attribute() if is_module(call.func):
            return first_argument(call)
        case ast.Attribute(value=ast.expr() as of) if name != "append":
            return of
    return first_argument(call) if name in MISSING or name[:1].islower() else None


def first_argument(call: ast.Call) -> ast.expr | None:
    """Returns a call's first argument, if it can stand alone."""
    first = call.args[0] if call.args else None
    return None if isinstance(first, ast.List | ast.Constant) else first


def is_skipped(place: Place) -> bool:
    """Says whether a call is a whole statement, or makes a module's attribute."""
    return isinstance(place.parent, ast.Expr) or place.in_constructor


def is_module(func: ast.expr) -> bool:
    """Says whether a function is a module of ``self`` or of ``body``."""
    match func:
        case ast.Attribute(value=ast.Name(id="self" | "body"), attr=name):
            return name not in ("split_heads", "merge_heads")
    return False


def repeats(func: ast.expr, place: Place) -> bool:
    """Says whether a function's result may be its argument once more."""
    if isinstance(func, ast.Attribute):
        return is_module(func) and func.attr not in ("wte", "wpe", "transformer", "qkv")
    return isinstance(func, ast.Name) and (
        func.id in {"norm", "sublayer", "block", "softmax"}
    )


def plain_name(call: ast.Call) -> str:
    """Returns the last part of a called function's name."""
    return (
        call.func.attr
        if isinstance(call.func, ast.Attribute)
        else (call.func.id if isinstance(call.func, ast.Name) else "")
    )


def other_order(place: Place) -> Iterator[Change]:
    """Calls two functions in the opposite order."""
    match place.node:
        case ast.Call(outer, [ast.Call(inner, [of, *more]) as first, *rest]):
            known = is_module(outer), is_module(inner), repeats(inner, place)
            if isinstance(of, ast.Starred) or not (any(known) and is_step(first)):
                return
            new = ast.Call(
                inner,
                [ast.Call(outer, [of, *rest], place.node.keywords), *more],
                first.keywords,
            )
            says = f"{called(place.node)} comes before {called(first)}; it has to come "
            yield place.change(new, f"{says}after.")


def is_step(call: ast.Call) -> bool:
    """Says whether a call is one of the steps of a calculation."""
    return plain_name(call) not in ("int", "float", "range", "len", "Dim", "list")


OPERATORS = (left_out, twice, other_function, other_order)

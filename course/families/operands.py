"""Operands dropped or exchanged, and operators changed."""

import ast
from collections.abc import Iterator

from course.families.places import Change, Place
from course.families.words import are, phrase, sentence

# What the sentence says where the second operand is dropped.
WITHOUT_SECOND: dict[type, str] = {
    ast.Add: "{b} {is_} not added to {a}.",
    ast.Sub: "{b} {is_} not subtracted from {a}, and it has to be.",
    ast.Mult: "{a} {is_a} not multiplied by {b}.",
    ast.Div: "{a} {is_a} not divided by {b}.",
    ast.FloorDiv: "{a} {is_a} not divided by {b}.",
    ast.MatMult: "The matrix product is missing: {a} {is_a} left, without {b}.",
    ast.Pow: "{a} {is_a} not raised to the power of {b}.",
}
WITHOUT_FIRST: dict[type, str] = {
    ast.Add: "The sum lacks {a}; only {b} {is_} left.",
    ast.Mult: "The product lacks {a}; only {b} {is_} left.",
    ast.MatMult: "The matrix product is missing: {b} {is_} left, without {a}.",
}
EXCHANGED: dict[type, str] = {
    ast.Sub: "{a} {is_a} subtracted from {b}; it has to be the other way round.",
    ast.Div: "{b} {is_} divided by {a}; it has to be the other way round.",
    ast.MatMult: "{b} stands before {a} in the matrix product; it has to stand after.",
    ast.Pow: "{b} {is_} raised to the power of {a}; it has to be the other way round.",
}
# Each operator with the ones that are written instead, and the sentence.
CHANGED: dict[type, dict[type, str]] = {
    ast.Add: {ast.Sub: "{b} {is_} subtracted from {a}, where a sum belongs."},
    ast.Sub: {ast.Add: "{b} {is_} added to {a}, where a difference belongs."},
    ast.Mult: {
        ast.Add: "{b} {is_} added to {a}, where a product belongs.",
        ast.Div: "{a} {is_a} divided by {b}, where a product belongs.",
    },
    ast.Div: {
        ast.Mult: "{a} {is_a} multiplied by {b}, where a division belongs.",
    },
    ast.FloorDiv: {ast.Mult: "{a} {is_a} multiplied by {b}, where a division belongs."},
    ast.MatMult: {
        ast.Mult: "{a} and {b} are multiplied number by number; it has to be a matrix "
        "product."
    },
    ast.Pow: {ast.Mult: "{a} {is_a} multiplied by {b}, which has to be its power."},
}
COMPARED: dict[type, list[type]] = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
}
SIGNS: dict[type, str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def dropped(place: Place) -> Iterator[Change]:
    """Leaves one operand of an operator away."""
    if not isinstance(node := place.node, ast.BinOp) or is_list(node):
        return
    if is_square(node):
        words = phrase(node.left, place)
        says = f"The square of {words} is missing; {words} {are(words)} used alone."
        yield place.change(node.left, says)
        return
    for sentences, kept in (WITHOUT_SECOND, node.left), (WITHOUT_FIRST, node.right):
        if type(node.op) in sentences and not is_number(kept):
            yield place.change(kept, said(sentences[type(node.op)], node, place))


def exchanged(place: Place) -> Iterator[Change]:
    """Exchanges the operands of an operator where their order matters."""
    if isinstance(node := place.node, ast.BinOp) and type(node.op) in EXCHANGED:
        new = ast.BinOp(node.right, node.op, node.left)
        yield place.change(new, said(EXCHANGED[type(node.op)], node, place))


def changed(place: Place) -> Iterator[Change]:
    """Writes another operator."""
    if not isinstance(node := place.node, ast.BinOp) or is_list(node):
        return
    if isinstance(place.parent, ast.List):  # a shape
        return
    if is_square(node) or is_number(node.left) or is_number(node.right):
        return
    for operator, text in CHANGED.get(type(node.op), {}).items():
        new = ast.BinOp(node.left, operator(), node.right)
        yield place.change(new, said(text, node, place))


def compared(place: Place) -> Iterator[Change]:
    """Writes another comparison."""
    match place.node:
        case ast.Compare(left, [operator], [right]) if type(operator) in COMPARED:
            for other in COMPARED[type(operator)]:
                a, b = phrase(left, place), phrase(right, place)
                signs = f"`{SIGNS[other]}`", f"`{SIGNS[type(operator)]}`"
                says = f"{a} {are(a)} compared with {b} by {signs[0]}; it has to be "
                new = ast.Compare(left, [other()], [right])
                yield place.change(new, sentence(f"{says}{signs[1]}."))


def parts_of_conditions(place: Place) -> Iterator[Change]:
    """Leaves one part of a condition away, or joins its two parts wrongly."""
    match place.node:
        case ast.BoolOp(op, [a, b]) if not isinstance(place.parent, ast.Assign):
            for kept, lost in (a, b), (b, a):
                yield place.change(kept, f"The code never asks {asked(lost, place)}.")
            other: ast.boolop
            if isinstance(op, ast.And):
                other, word, right = ast.Or(), "or", "both have to hold"
            else:
                other, word, right = ast.And(), "and", "one of the two is enough"
            says = f"The code asks {asked(a, place)} {word} {asked(b, place)}; {right}."
            yield place.change(ast.BoolOp(other, [a, b]), says)
        case ast.BoolOp(ast.Or(), [a, b]):
            words = phrase(a, place), phrase(b, place)
            says = f"Without {words[0]}, the code does not use {words[1]}."
            yield place.change(a, says)
            says = f"{words[0]} is never used; {words[1]} stands in its place."
            yield place.change(b, says)
        case ast.BinOp(a, ast.BitOr(), b):
            for kept, lost in (a, b), (b, a):
                yield place.change(kept, f"The code never asks {asked(lost, place)}.")


def not_updated(place: Place) -> Iterator[Change]:
    """Leaves a line such as ``a /= b`` out."""
    match place.node:
        case ast.AugAssign(target, operator, value):
            a, b = phrase(target, place), phrase(value, place)
            text = WITHOUT_SECOND.get(type(operator), "{a} {is_a} not updated.")
            says = text.format(a=a, b=b, is_a=are(a), is_=are(b))
            yield place.change("pass", sentence(says))


def signs(place: Place) -> Iterator[Change]:
    """Forgets a minus, a ``not`` or a ``~``."""
    match place.node:
        case ast.UnaryOp(ast.USub(), operand) if not isinstance(operand, ast.Constant):
            words = phrase(operand, place)
            says = f"{words} {are(words)} used without the minus sign."
            yield place.change(operand, sentence(says))
        case ast.UnaryOp(ast.Not(), operand) as whole:
            says = f"`not` is missing; the code has to ask {asked(whole, place)}."
            yield place.change(operand, says)
        case ast.UnaryOp(ast.Invert(), operand):
            words = phrase(operand, place)
            says = f"{words} {are(words)} not negated."
            yield place.change(operand, sentence(says))


def asked(node: ast.AST, place: Place) -> str:
    """Says what a condition asks, as a clause that begins with "whether"."""
    match node:
        case ast.UnaryOp(ast.Not(), ast.Name() as operand):
            return f"whether {phrase(operand, place)} is false"
        case ast.UnaryOp(ast.Not(), operand):
            text = asked(operand, place)
            if "any of" in text:
                return text.replace("any of", "none of", 1)
            return text.replace("whether", "whether not", 1)
        case ast.BoolOp(op, [a, b]):
            word = "and" if isinstance(op, ast.And) else "or"
            return f"{asked(a, place)} {word} {asked(b, place)}"
        case ast.Compare(left, [ast.Eq()], [right]):
            words = phrase(left, place)
            return f"whether {words} {are(words)} {phrase(right, place)}"
        case ast.Compare(left, [operator], [right]) if type(operator) in SIGNS:
            words = phrase(left, place)
            more = "above" if isinstance(operator, ast.Gt | ast.GtE) else "below"
            return f"whether {words} {are(words)} {more} {phrase(right, place)}"
        case ast.Compare(left, [ast.Is()], [ast.Constant(value=None)]):
            return f"whether {phrase(left, place)} is None"
        case ast.Compare(left, [ast.IsNot()], [ast.Constant(value=None)]):
            return f"whether {phrase(left, place)} is not None"
        case ast.Call(func=ast.Attribute(value=of, attr="any")):
            return (
                asked(of, place)
                .replace("whether", "whether any of", 1)
                .replace(" are ", " is ", 1)
            )
        case ast.Call(func=ast.Attribute(value=of, attr="all")):
            return f"whether {phrase(of, place)} are all true"
    return f"whether {phrase(node, place)} is true"


def is_square(node: ast.BinOp) -> bool:
    """Says whether a product has two equal factors."""
    same = ast.unparse(node.left) == ast.unparse(node.right)
    return same and isinstance(node.op, ast.Mult)


def is_list(node: ast.BinOp) -> bool:
    """Says whether an operator joins lists."""
    return isinstance(node.left, ast.List) or isinstance(node.right, ast.List)


def is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant)


def said(template: str, node: ast.BinOp, place: Place) -> str:
    """Fills the two operands into a sentence."""
    a, b = phrase(node.left, place), phrase(node.right, place)
    return sentence(template.format(a=a, b=b, is_a=are(a), is_=are(b)))


OPERATORS = (
    dropped,
    exchanged,
    changed,
    compared,
    parts_of_conditions,
    signs,
    not_updated,
)

"""Arguments ignored, off by one, written down as a number, or exchanged."""

import ast
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from course.families.names import is_called_on
from course.families.places import Change, Place
from course.families.words import are, called, phrase, sentence
from course.registry import ROOT, find_exercise

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
    pronoun = "they have" if are(words) == "are" else "it has"
    for sign, done in (("+", "added to"), ("-", "subtracted from")):
        new = ast.parse(f"{place.node.id} {sign} 1", mode="eval").body
        says = f"One is {done} {words}; {pronoun} to be used unchanged."
        yield place.change(new, says)


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
            if (value := gpt2_sizes().get(name)) is None:
                return
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


OPERATORS = (ignored, off_by_one, written_down, exchanged, results)

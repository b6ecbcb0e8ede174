"""Words for pieces of code, as they stand in a sentence."""

import ast

from course.families.places import Place

LONGEST = 30  # characters of code in a sentence

# What a solution's own variables hold; a learner's have other names. The key may have
# the function's name in front.
HELD = {
    "a": "each array",
    "attended": "attention's result",
    "batch": "the batch size",
    "beam_search.beams": "the beams",
    "beam_search.sums": "the sums",
    "best": "the best places",
    "block": "the block",
    "blocks": "the blocks",
    "body": "the model's body",
    "centered": "the centred numbers",
    "channels": "the number of channels",
    "chosen": "the drawn ids",
    "earlier": "the number of earlier tokens",
    "ended": "the marks of ended texts",
    "exponentials": "the exponentials",
    "extended": "the new cache",
    "finished": "the finished texts",
    "following": "the log-probabilities",
    "forward.hidden": "the hidden states",
    "forward.key": "the key",
    "forward.query": "the query",
    "forward.value": "the value",
    "generate_with_cache.cache": "the cache",
    "had_ended": "the marks of ended texts",
    "head_size": "the head size",
    "heads": "the number of heads",
    "GPT2MLP.hidden": "GELU's result",
    "hidden": "the tensor of -inf",
    "kept": "the new logits",
    "layer": "the layer's number",
    "length": "the number of tokens",
    "logits": "the logits",
    "longer": "the longer texts",
    "mask": "the mask",
    "new_ids": "the new ids",
    "next_ids": "the new ids",
    "normalized": "the normalized numbers",
    "order": "the ordered ids",
    "penalized": "the new logits",
    "positions": "the positions",
    "present": "the longer memory",
    "probabilities": "the probabilities",
    "reached": "the running sums",
    "rng": "the generator",
    "row": "the row",
    "rows": "the beams' rows",
    "scores": "the scores",
    "seen": "the used ids",
    "shape": "the shape",
    "shares": "the shares",
    "shifted": "the shifted logits",
    "start": "the number of earlier tokens",
    "stop": "the end of the positions",
    "text": "the text",
    "token": "the token",
    "tokens": "the tokens",
    "top_tokens.best": "the best ids",
    "totals": "the longer texts' sums",
    "used": "the used tokens' logits",
    "variance": "the variance",
    "_likeliest.best": "the candidates' ids",
    "contrasted": "the contrasted logits",
    "contrastive_search.best": "the row of the written token",
    "contrastive_search.ids": "the text",
    "contrastive_search.texts": "the longer texts",
    "penalties": "the penalties",
    "plausible": "the marks of plausible tokens",
    "similarity": "the similarities",
    "states": "the hidden states",
    "beam_search.length": "the length",
    "propose_from_text.certain": "the distributions",
    "propose_from_text.proposed": "the guesses",
    "propose_with_model.distributions": "the distributions",
    "propose_with_model.proposed": "the guesses",
    "residual.beyond": "what p has beyond q",
    "residual.total": "its sum",
    "speculative_decode.count": "the number of guesses",
    "speculative_decode.ids": "the ids so far",
    "speculative_decode.longest": "the longest length",
    "speculative_decode.new": "the new ids",
    "speculative_round.p": "the model's distributions",
    "speculative_round.proposed": "the guesses",
    "speculative_round.q": "the draft's distributions",
    "angles": "the angles",
    "attend": "the attention",
    "copies": "the copies",
    "frequencies": "the pairs' speeds",
    "gate": "the gate",
    "mean_square": "the mean square",
    "narrow": "the width of keys and values",
    "opened": "SiLU's result",
    "rotate.a": "the first coordinates",
    "rotate.b": "the second coordinates",
    "shared": "the repeated keys and values",
    "table": "the table",
    "tables": "the tables",
}
RESULTS: dict[type, str] = {
    ast.Add: "the sum",
    ast.Sub: "the difference",
    ast.Mult: "the product",
    ast.Div: "the quotient",
    ast.FloorDiv: "the quotient",
    ast.MatMult: "the matrix product",
    ast.Pow: "the power",
}


def phrase(node: ast.AST, place: Place) -> str:
    """Names a value: by its code where a learner has the same, else by what it is."""
    if isinstance(node, ast.Name) and (word := held(node.id, place)):
        return word
    if isinstance(node, ast.Constant) and not isinstance(node.value, str):
        return repr(node.value)
    code = ast.unparse(node)
    known = [held(n.id, place) for n in ast.walk(node) if isinstance(n, ast.Name)]
    if len(code) <= LONGEST and not any(known):
        return f"`{code}`"
    match node:
        case ast.BinOp(left, op, right):
            return combined(left, right, type(op), place)
        case ast.Attribute(value=of, attr="T"):
            return f"{phrase(of, place)} transposed"
        case ast.Attribute() if code.startswith("body."):
            return f"`{code.removeprefix('body.')}`"
        case ast.Tuple(elts=[first, second]):
            return f"the pair of {phrase(first, place)} and {phrase(second, place)}"
        case ast.Call(func=ast.Name(id="sqrt"), args=[of]):
            return f"the root of {phrase(of, place)}"
        case ast.Call(func=ast.Name(id="int" | "float"), args=[of]):
            return phrase(of, place)
        case ast.Call(func=ast.Attribute(value=of, attr="transpose")):
            return f"{phrase(of, place)} transposed"
        case ast.Call(func=ast.Name(id="len"), args=[of]):
            return f"the number of {phrase(of, place).removeprefix('the ')}"
        case ast.Call(func=ast.Attribute(value=of, attr="astype" | "copy" | "tolist")):
            return phrase(of, place)
        case ast.Call():
            return f"the result of {called(node)}"
        case ast.List(elts=[first, second]):
            return f"the list of {phrase(first, place)} and {phrase(second, place)}"
        case ast.Starred(value=of):
            return phrase(of, place)
        case ast.Subscript(value=ast.Subscript() as of):
            return phrase(of, place)
        case ast.Subscript(value=of):
            return f"a part of {phrase(of, place)}"
        case ast.Attribute(value=of, attr=name):
            return f"`{name}` of {phrase(of, place)}"
        case ast.UnaryOp(op=ast.USub(), operand=of):
            return f"minus {phrase(of, place)}"
        case ast.UnaryOp(operand=of):
            return phrase(of, place)
        case ast.Compare() | ast.BoolOp():
            return "the condition"
    return "the result"


def combined(left: ast.expr, right: ast.expr, op: type, place: Place) -> str:
    """Names the result of an operator, with its operands if these are simple."""
    word = RESULTS.get(op, "the result")
    if max(len(phrase(left, place)), len(phrase(right, place))) > LONGEST:
        return word
    if op is ast.Pow:
        return f"{phrase(left, place)} to the power of {phrase(right, place)}"
    if op is ast.Mult and ast.unparse(left) == ast.unparse(right):
        return f"the square of {phrase(left, place)}"
    return f"{word} of {phrase(left, place)} and {phrase(right, place)}"


def held(name: str, place: Place) -> str | None:
    """Says what a solution's own variable holds; None for any other name."""
    if name in place.parameters or place.function is None:
        return None
    for scope in place.names:
        if word := HELD.get(f"{scope}.{name}"):
            return word
    return HELD.get(name)


def called(call: ast.Call) -> str:
    """Names the function of a call, without the value whose method it is."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="F" | "np" | "self" | "Tensor"), attr=_):
            return f"`{ast.unparse(call.func)}`"
        case ast.Attribute(value=ast.Attribute(), attr=name) if len(name) > 1:
            whole = ast.unparse(call.func)
            return f"`{whole if len(whole) <= LONGEST else name}`"
        case ast.Attribute(attr=name):
            return f"`{name}`"
    return f"`{ast.unparse(call.func)}`"


def call_of(call: ast.Call, place: Place) -> str:
    """Names a call, with its first argument if the function has several such calls."""
    name = called(call)
    calls = [n for n in ast.walk(place.function or call) if isinstance(n, ast.Call)]
    if len([n for n in calls if called(n) == name]) < 2 or not call.args:
        return name
    return f"{name} of {phrase(call.args[0], place)}"


def sentence(text: str) -> str:
    """Begins a sentence with a capital letter, unless code stands there."""
    return text[:1].upper() + text[1:]


def are(words: str) -> str:
    """Returns "are" after a plural and "is" after a singular."""
    return "are" if words.startswith("the ") and is_plural(words) else "is"


def have(words: str) -> str:
    """Returns "have" after a plural and "has" after a singular."""
    return "have" if are(words) == "are" else "has"


def is_plural(words: str) -> bool:
    """Says whether the noun before the first " of " ends as a plural does."""
    noun = words.partition(" of ")[0]
    return noun.endswith("s") and not noun.endswith(("ss", "bias"))

"""The places in a model at which a trace has numbers, and the step that makes each.

Shapes: T tokens, C channels, I inner width, H heads, D head size, V vocabulary.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from course.registry import ROOT

# The page "Inside" shows these stages, in this order.
FILE = ROOT / "book" / "src" / "lab" / "data" / "stages.js"
# Step 10 calls a normalization and a sublayer, if step 11 lets it. Then step 10 decides
# what these get, and otherwise step 11.
FIRST, SECOND = "first", "second"
BLOCK_STEP = 11
CALLER = {True: 10, False: BLOCK_STEP}


@dataclass(frozen=True)
class Point:
    """A place at which the numbers of two models can be compared.

    Attributes:
        name: such as ``h.0.query``, or ``h.0.qkv.input`` between two stages.
        stage: the array of the page in which a mistake at this point can be seen first.
        maker: the number of the step that makes these numbers; or ``FIRST`` or
            ``SECOND``, if step 10 or step 11 does.
        what: a few words for a sentence.
    """

    name: str
    stage: str
    maker: int | str
    what: str

    @property
    def is_stage(self) -> bool:
        """Whether the page shows this point's numbers."""
        return self.name == self.stage

    @property
    def block(self) -> int | None:
        """The number of the point's block."""
        found = re.match(r"h\.(\d+)\.", self.name)
        return int(found[1]) if found else None


# name, stage, maker, what; the maker of a stage is in the page's list.
Row = tuple[str, str, int | str | None, str]
START: tuple[Row, ...] = (
    ("ids", "wte", 13, "the ids that the transformer gets"),
    ("wte.input", "wte", 12, "the ids that are looked up"),
    ("wte", "wte", None, "the rows of the tokens"),
    ("wpe.input", "wpe", 12, "the positions that are looked up"),
    ("wpe", "wpe", None, "the rows of the positions"),
)
BLOCK: tuple[Row, ...] = (
    ("in", "in", None, "the input"),
    ("first.x", "ln_1", 11, "the x of the first residual connection"),
    ("ln_1.input", "ln_1", FIRST, "what the first normalization gets"),
    ("ln_1", "ln_1", None, "what the first normalization gives"),
    ("attn.input", "query", FIRST, "what attention gets"),
    ("qkv.input", "query", 9, "what query, key and value are made of"),
    ("query", "query", None, "the queries"),
    ("key", "key", None, "the keys"),
    ("value", "value", None, "the values"),
    ("heads.query", "scores", 9, "the queries that each head gets"),
    ("heads.key", "scores", 9, "the keys that each head gets"),
    ("heads.value", "shares", 9, "the values that each head gets"),
    ("mask.sizes", "scores", 8, "the sizes that the causal mask is asked for"),
    ("mask", "scores", 2, "the causal mask"),
    ("scores", "scores", None, "the scores"),
    ("shares", "shares", None, "the shares"),
    ("attended", "mixed", 8, "the mix of values of each head"),
    ("mixed", "mixed", 9, "the heads' results, joined"),
    ("joined", "attn", 9, "the last product of attention"),
    ("attn", "attn", None, "what attention gives"),
    ("first.result", "mid", 10, "the first residual connection's result"),
    ("mid", "mid", FIRST, "the stream after attention"),
    ("second.x", "ln_2", 11, "the x of the second residual connection"),
    ("ln_2.input", "ln_2", SECOND, "what the second normalization gets"),
    ("ln_2", "ln_2", None, "what the second normalization gives"),
    ("mlp.input", "hidden", SECOND, "what the feed-forward network gets"),
    ("hidden", "hidden", None, "the hidden units before GELU"),
    ("active", "active", None, "the hidden units after GELU"),
    ("mlp", "mlp", None, "what the feed-forward network gives"),
    ("second.result", "out", 10, "the second residual connection's result"),
    ("out", "out", None, "the result"),
)
END: tuple[Row, ...] = (
    ("ln_f.input", "ln_f", 12, "what the last normalization gets"),
    ("ln_f.result", "ln_f", None, "what the last normalization gives"),
    ("ln_f", "ln_f", 12, "what the transformer gives"),
    ("logits", "logits", None, "the logits after the last token"),
    ("logits.all", "logits", 13, "the logits"),
)


@cache
def makers() -> dict[str, int]:
    """Returns the step of each stage of the page, such as ``h.*.query``, in order."""
    listed = FILE.read_text(encoding="utf-8").partition("lab.stages = ")[2]
    stages = json.loads(listed.rstrip().removesuffix(";"))
    return {name: int(each["step"]) for each in stages for name in each["arrays"]}


def points(layers: int) -> Iterator[Point]:
    """Yields the points of a model with some blocks, in the calculation's order."""
    for row in START:
        yield point("", *row)
    for layer in range(layers):
        for row in BLOCK:
            yield point(f"h.{layer}.", *row)
    for row in END:
        yield point("", *row)


def point(
    prefix: str, name: str, stage: str, maker: int | str | None, what: str
) -> Point:
    """Returns a point; ``prefix`` is the beginning of its name."""
    stage = prefix + stage
    if maker is None:
        maker = maker_of(stage)
    if prefix:
        what += f" in block {prefix.split('.')[1]}"
    return Point(prefix + name, stage, maker, what)


def maker_of(stage: str) -> int:
    """Returns the number of the step that makes a stage such as ``h.0.query``."""
    return makers()[re.sub(r"^h\.\d+\.", "h.*.", stage)]

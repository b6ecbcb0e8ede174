# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "llguidance==1.9.1", "interegular==0.3.3", "numpy", "tokenizers==0.23.3"
# ]
# ///
"""Write `tests/golden/constrained.json`: what llguidance allows, on random walks.

The lines above list the packages. uv installs them and runs this file:

    uv run --script tests/own/gpt2/make_constrained.py

The file has the first tokens of the embedded vocabulary as Latin-1 texts, and cases: a
pattern; its automaton as arrows [state, first byte, last byte, next state] and
accepting states; walks of token ids, and before each id the bits, in hexadecimal, of
what may follow.
"""

import json
import sys
from pathlib import Path

import numpy as np
from llguidance import LLMatcher, LLTokenizer
from llguidance._tokenizer import TokenizerWrapper
from tokenizers import Tokenizer

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from gpt2.checkpoint import tokenizer as own  # noqa: E402
from gpt2.decoding.regular_expressions import over_bytes, read  # noqa: E402

FILE = ROOT / "checkpoints" / "tiny-stories" / "tokenizer.json"
TOKENS, WALKS, LONGEST, STATES = 420, 3, 12, 512
PATTERNS = [
    "yes|no",
    r"-?[0-9]+(\.[0-9]+)?",
    " [0-9]{1,3} years( and a half)?",
    "(é|ö|日本|😀)+",
    '\\{"[a-z]{2,4}": ([0-9]|"[^"]{0,5}")\\}',
    "(he|she|the|then) .*",
    "[^a-m]*",
]


class Words:
    """The vocabulary, as llguidance asks for it."""

    eos_token_id, bos_token_id = 0, None
    special_token_ids = (0,)

    def __init__(self, tokens: list[bytes]) -> None:
        self.tokens = [b"<|endoftext|>", *tokens[1:]]

    def __call__(self, text: bytes) -> list[int]:
        """Cuts a text into single bytes."""
        return [self.tokens.index(bytes([byte])) for byte in text]


def allowed(matcher: LLMatcher) -> list[int]:
    """The tokens that may follow, tried one by one.

    The mask of llguidance has a single token where the text is certain, the first of
    its tokenizer's cut.
    """
    tokens = range(1, TOKENS)
    return [0] * matcher.is_accepting() + [
        token for token in tokens if matcher.validate_tokens([token])
    ]


def walk(
    tokenizer: LLTokenizer, pattern: str, rng: np.random.Generator
) -> list[list[int | str]]:
    """A random walk: before each token, the bits of what may follow, and the token."""
    matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_regex(pattern))
    steps: list[list[int | str]] = []
    for _ in range(LONGEST):
        may = allowed(matcher)
        token = int(rng.choice(may))
        bits = np.packbits(np.isin(np.arange(TOKENS), may)).tobytes().hex()
        steps.append([bits, token])
        if token == 0:
            break
        matcher.consume_token(token)
    return steps


def arrows(table: np.ndarray) -> list[list[int]]:
    found: list[list[int]] = []
    for state, row in enumerate(table.tolist()):
        for byte, to in enumerate(row):
            if found and found[-1] == [state, found[-1][1], byte - 1, to]:
                found[-1][2] = byte
            elif to >= 0:
                found.append([state, byte, byte, to])
    return found


def main() -> None:
    vocabulary = own.Tokenizer(Tokenizer.from_file(str(FILE))).token_bytes[:TOKENS]
    tokenizer = LLTokenizer(TokenizerWrapper(Words(vocabulary)))
    rng, cases = np.random.default_rng(0), []
    for pattern in PATTERNS:
        table, accepting = over_bytes(read(pattern), STATES)
        walks = [walk(tokenizer, pattern, rng) for _ in range(WALKS)]
        ends = np.flatnonzero(accepting).tolist()
        case = {"pattern": pattern, "states": len(table), "arrows": arrows(table)}
        cases.append(case | {"accepting": ends, "walks": walks})
    texts = [token.decode("latin-1") for token in vocabulary]
    content = json.dumps({"vocabulary": texts, "cases": cases}) + "\n"
    path = ROOT / "tests" / "golden" / "constrained.json"
    path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()

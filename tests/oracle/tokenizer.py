"""GPT-2's tokenizer without a regular expression, for the checker of the encore.

It merges one place at a time, and counts over the whole text.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, takewhile
from unicodedata import category

Pair = tuple[str, str]
CONTRACTIONS = "'s", "'t", "'re", "'ve", "'m", "'ll", "'d"
SEPARATORS = "\x1c\x1d\x1e\x1f"  # whitespace for Python, but not for Unicode

PRINTED = [chr(b) for b in range(256) if chr(b).isprintable() and chr(b) != " "]
OTHERS = [chr(b) for b in range(256) if chr(b) not in PRINTED]
TABLE = {c: c for c in PRINTED} | {c: chr(256 + i) for i, c in enumerate(OTHERS)}


def byte_characters() -> list[str]:
    """The character of each byte."""
    return [TABLE[chr(byte)] for byte in range(256)]


def spell(text: str) -> list[str]:
    """A text in characters, one for each byte in UTF-8."""
    return [TABLE[chr(byte)] for byte in text.encode("utf-8")]


def kind(character: str) -> str:
    """Whether a character is whitespace, a letter ("L"), a number ("N") or other."""
    if character.isspace() and character not in SEPARATORS:
        return "whitespace"
    group = category(character)[0]
    return group if group in "LN" else "other"


def first_length(text: str) -> int:
    """The length of a text's first piece."""
    for contraction in CONTRACTIONS:
        if text.startswith(contraction):
            return len(contraction)
    after_space = int(text[0] == " " and len(text) > 1)
    if kind(text[after_space]) != "whitespace":
        return after_space + run(text[after_space:])
    length = run(text)
    return length if length in (1, len(text)) else length - 1


def run(text: str) -> int:
    """How many characters of one kind a text begins with."""
    first = kind(text[0])
    return len(list(takewhile(lambda character: kind(character) == first, text)))


def pieces(text: str) -> Iterator[str]:
    """The pieces of a text."""
    while text:
        length = first_length(text)
        yield text[:length]
        text = text[length:]


def merged(symbols: Sequence[str], ranks: Mapping[Pair, int]) -> list[str]:
    """The symbols after all merges: always the first place with the lowest rank."""
    symbols = list(symbols)
    while found := [
        (ranks[p], i) for i, p in enumerate(pairwise(symbols)) if p in ranks
    ]:
        place = min(found)[1]
        symbols[place : place + 2] = [symbols[place] + symbols[place + 1]]
    return symbols


def tokens(text: str, ranks: Mapping[Pair, int]) -> list[str]:
    """The tokens of a text."""
    return [token for piece in pieces(text) for token in merged(spell(piece), ranks)]


def decoded(found: Sequence[str]) -> str:
    """The text of tokens."""
    bytes_by_character = {c: ord(byte) for byte, c in TABLE.items()}
    data = [bytes_by_character[c] for c in "".join(found)]
    return bytes(data).decode("utf-8", "replace")


def vocabulary(merges: Sequence[Pair]) -> dict[str, int]:
    """The ids of the characters, and of what the merges make."""
    found: dict[str, int] = {}
    for token in [*sorted(TABLE.values()), *("".join(pair) for pair in merges)]:
        found.setdefault(token, len(found))
    return found


def learned(text: str, number: int) -> list[Pair]:
    """The merges that a text teaches."""
    words, merges = [spell(piece) for piece in pieces(text)], list[Pair]()
    for rank in range(number):
        counts: dict[Pair, int] = {}
        for pair in (pair for word in words for pair in pairwise(word)):
            counts[pair] = counts.get(pair, 0) + 1
        if not counts:
            break
        ids = vocabulary(merges)
        ordered = sorted(counts, key=lambda pair: [ids[token] for token in pair])
        merges.append(max(ordered, key=counts.__getitem__))  # the first of equals
        words = [merged(word, {merges[rank]: 0}) for word in words]
    return merges

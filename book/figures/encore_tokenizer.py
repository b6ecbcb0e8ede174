"""Figures and numbers of the encore on the tokenizer."""

import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from unicodedata import category

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tokenizers.pre_tokenizers import ByteLevel

from book import held_out, play
from book.figures import style
from book.figures._words import code, percent
from book.pages import BookError
from course.registry import ROOT
from gpt2.checkpoint.tokenizer import load_tokenizer
from solutions import encore_tokenizer as solution
from solutions.encore_tokenizer import Pair

GPT2 = ROOT / "tests" / "golden" / "gpt2"
END = "<|endoftext|>"
WORD = " wonderful"  # is merged in the figure
LEARNED, SHOWN = 50, 10  # merges learned from a story, and of these in the table
BYTES = {  # name: byte
    "`a`": 97,
    "a space": 32,
    "a line's end": 10,
    "the first byte of `é`": 0xC3,
    "the second byte of `é`": 0xA9,
    "the soft hyphen": 173,
    "byte 0": 0,
}
CUT = [
    "Don't stop, it's 1984!",
    "a   b\n\nc ",
    "x2 = x_1 * 3.5",
    "naïve שלום 日本語 ½",
]
SPELLINGS = "the", " the", "The", " The", "THE"  # in texts of make_gpt2.py, too
OPEN = "Once upon a time, there was a", "Once upon a time, there was a "
LANGUAGES = {  # the sentences are in tests/golden/make_gpt2.py, with GPT-2's ids
    "English": "The dog is happy today.",
    "German": "Der Hund ist heute glücklich.",
    "Russian": "Собака сегодня счастлива.",
    "Hebrew": "הכלב שמח היום.",
    "Japanese": "犬は今日幸せです。",
}
NAMES = "Lily", "Ada Lovelace", " Ada Lovelace", "Noether"
ROW, RIGHT = 40, 560  # pixels of the drawing
# The pattern without Unicode's categories, as far as Python's re has them.
IN_RE = r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:_|[^\s\w])+|\s+(?!\S)|\s+"


@cache
def ranks() -> dict[Pair, int]:
    """The embedded model's ranks."""
    merges = play.checkpoint().tokenizer.merges
    return {pair: rank for rank, pair in enumerate(merges)}


def figures() -> dict[str, Figure]:
    return {"merges": merges_figure()}


def numbers() -> dict[str, str | list]:
    first, second = held_out.stories()[:2]
    merges = solution.learn_merges(first, LEARNED)
    own = {pair: rank for rank, pair in enumerate(merges)}
    size = len(first.encode())
    following = len(second.encode())
    return {
        "stories": str(len(held_out.stories())),
        **unknown_words(),
        "bytes": f"{size:,}",
        "tokens": str(len(play.encode(first))),
        "characters": characters_table(),
        "pieces": pieces_table(),
        "spellings": spellings_table(),
        "trailing": trailing_table(),
        "first_merges": first_merges_table(first, merges),
        "fifty": " ".join(code(as_text("".join(pair))) for pair in merges),
        "whole_words": str(len(whole_words(first, merges))),
        "story_tokens": str(len(solution.tokenize(first, own))),
        "next_share": percent(len(solution.tokenize(second, own)) / following),
        "next_embedded": percent(len(play.encode(second)) / following),
        "merges": f"{len(ranks()):,}",
        "languages": languages_table(),
        "end_tokens": str(len(solution.tokenize(END, ranks()))),
        "longest_differs": longest_differs(),
        "names": names_table(),
        **compared(),
    }


def as_text(token: str) -> str:
    """A token's text, from its characters."""
    return solution.decode([0], {token: 0})


def words(story: str) -> set[str]:
    """The different words of a story, in small letters."""
    pieces = (piece.strip().lower() for piece in solution.pre_tokenize(story))
    return {piece for piece in pieces if piece.isalpha()}


def unknown_words() -> dict[str, str]:
    """How many words a list from half of the stories has, and lacks."""
    stories = held_out.stories()
    half = len(stories) // 2
    known: set[str] = set().union(*map(words, stories[:half]))
    others: set[str] = set().union(*map(words, stories[half:]))
    unknown = len(others - known) / len(others)
    return {"known_words": f"{len(known):,}", "unknown": percent(unknown)}


def characters_table() -> list[list[str]]:
    """A table of some bytes and their characters."""
    characters = solution.byte_characters()
    rows = [["", "byte", "character"]]
    for name, byte in BYTES.items():
        rows.append([name, str(byte), f"`{characters[byte]}`"])
    return rows


def pieces_table() -> list[list[str]]:
    """A table of texts and their pieces."""
    cut = {text: solution.pre_tokenize(text) for text in CUT}
    return [
        ["text", "pieces"],
        *([code(text), " ".join(map(code, pieces))] for text, pieces in cut.items()),
    ]


def spellings_table() -> list[list[str]]:
    """A table of one word's ids in two vocabularies."""
    gpt2 = load_tokenizer(GPT2)
    rows = [["text", "embedded model", "GPT-2"]]
    for text in SPELLINGS:
        cells = [
            "  ".join(f"{code(t.token(i))} {i}" for i in t.encode(text))
            for t in (play.checkpoint().tokenizer, gpt2)
        ]
        rows.append([code(text), *cells])
    return rows


def trailing_table() -> list[list[str]]:
    """A table of what follows a prompt with a space at its end, and without."""
    rows = [["prompt", "last token", "likeliest next tokens"]]
    for text in OPEN:
        best = play.next_tokens(text, count=4)
        shown = ", ".join(f"{code(token)} {percent(share)}" for token, share in best)
        rows.append([code(text), code(play.tokens(text)[-1]), shown])
    return rows


def first_merges_table(story: str, merges: list[Pair]) -> list[list[str]]:
    """A table of the first merges that a story teaches, with their counts."""
    rows = [["rank", "pair", "token", "occurrences"]]
    for rank, pair in enumerate(merges[:SHOWN]):
        earlier = {made: number for number, made in enumerate(merges[:rank])}
        cut = [solution.tokenize(p, earlier) for p in solution.pre_tokenize(story)]
        count = sum(found == pair for piece in cut for found in pairwise(piece))
        first, second = (code(as_text(token)) for token in pair)
        token = code(as_text("".join(pair)))
        rows.append([str(rank), f"{first} {second}", token, str(count)])
    return rows


def whole_words(story: str, merges: list[Pair]) -> list[str]:
    """The learned tokens that are a word of the story with its space."""
    tokens = (as_text("".join(pair)) for pair in merges)
    return [t for t in tokens if t[0] == " " and t[1:].lower() in words(story)]


def languages_table() -> list[list[str]]:
    """A table of a sentence's tokens in several languages, with GPT-2's merges."""
    cases = json.loads((GPT2 / "texts.json").read_text(encoding="utf-8"))
    ids = {case["text"]: case["ids"] for case in cases}
    rows = [["", "sentence", "characters", "bytes", "tokens"]]
    for language, text in LANGUAGES.items():
        size = len(text.encode())
        rows.append([language, text, str(len(text)), str(size), str(len(ids[text]))])
    return rows


def longest_first(piece: str) -> list[str]:
    """A piece cut into the longest tokens that fit, from the left."""
    tokens, vocabulary = list[str](), play.checkpoint().tokenizer.vocabulary
    rest = "".join(solution.tokenize(piece, {}))
    while rest:
        length = max(n for n in range(1, len(rest) + 1) if rest[:n] in vocabulary)
        tokens.append(rest[:length])
        rest = rest[length:]
    return tokens


def longest_differs() -> str:
    """The share of the held-out words that the longest tokens cut otherwise."""
    pieces = {p for s in held_out.stories() for p in solution.pre_tokenize(s)}
    found = [p for p in pieces if p.strip().isalpha()]
    other = [p for p in found if longest_first(p) != solution.tokenize(p, ranks())]
    return f"{len(other)} of {len(found):,}"


def names_table() -> list[list[str]]:
    """A table of the tokens of some names."""
    rows = [["text", "tokens", "ids"]]
    for name in NAMES:
        tokens = " ".join(map(code, play.tokens(name)))
        rows.append([code(name), tokens, " ".join(map(str, play.encode(name)))])
    return rows


def compared() -> dict[str, str]:
    """How many characters there are, and how many ``re`` cuts otherwise.

    Raises:
        BookError: the solution cuts otherwise than the library ``tokenizers``.
    """
    every = map(chr, range(sys.maxunicode + 1))
    known = [c for c in every if category(c) not in ("Cn", "Co", "Cs")]
    texts = [f"a {c}{c}1 {c}a{c}" for c in known]
    cut = ByteLevel(add_prefix_space=False).pre_tokenize_str
    for text in texts:
        library = [text[start:end] for _, (start, end) in cut(text)]
        if solution.pre_tokenize(text) != library:
            raise BookError(f"encore_tokenizer: {text!r} is cut otherwise")
    other = sum(re.findall(IN_RE, t) != solution.pre_tokenize(t) for t in texts)
    controls = sum(category(c) == "Cc" for c in known)  # Unicode counts them apart
    return {
        "unicode": f"{len(known) - controls:,}",
        "controls": str(controls),
        "re_differs": f"{other:,}",
    }


def merging(word: str) -> Iterator[tuple[list[str], int | None]]:
    """A word's symbols, and the rank of the merge that comes next, if there is one."""
    symbols = solution.tokenize(word, {})
    while known := [ranks()[p] for p in pairwise(symbols) if p in ranks()]:
        yield symbols, min(known)
        pair = next(p for p in pairwise(symbols) if ranks().get(p) == min(known))
        symbols = solution.merge_pair(symbols, pair)
    yield symbols, None


def merges_figure() -> Figure:
    """Draws the merges of a word, a row for each."""
    rows = list(merging(WORD))
    if len(rows[-1][0]) > 1:
        raise BookError(f"encore_tokenizer: {WORD!r} is not one token")
    width = (RIGHT - 90) / len(rows[0][0])
    figure, axes = style.canvas(ROW * len(rows) + 10, width=RIGHT)
    before: list[str] = []
    for number, (symbols, _) in enumerate(rows):
        draw_row(axes, 6 + ROW * number, symbols, before, width)
        if number:
            text = f"rank {rows[number - 1][1]}"
            middle = 6 + ROW * number + 14
            style.label(axes, RIGHT - 4, middle, text, ha="right", color=style.MUTED)
        before = symbols
    return figure


def draw_row(
    axes: Axes, top: float, symbols: list[str], before: list[str], width: float
) -> None:
    """Draws symbols as boxes; those that the row before lacks have a colour."""
    left = 4.0
    for symbol in symbols:
        new = bool(before) and symbol not in before
        color, strength = (style.BLUE, 0.16) if new else (style.MUTED, 0.04)
        size = width * len(symbol)
        style.box(axes, left + 2, top, size - 4, 28, color=color, strength=strength)
        text = style.token(as_text(symbol))
        style.label(axes, left + size / 2, top + 14, text, fontfamily=style.MONO)
        left += size

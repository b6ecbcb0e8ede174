"""Encore: the tokenizer, from a text to ids and back, and how its merges are learned.

A model reads numbers. Between a text and its numbers stands a list of tokens, texts
that each have an id. Words would make a list that is never complete, and characters
make long texts. GPT-2 takes the way between: bytes, and merges of what is often
together, a *byte-level BPE* (byte-pair encoding). From the text to the ids:

    text        "a lot"
    pieces      "a"   " lot"          cut by a pattern; merges stay inside a piece
    characters  a     Ġ l o t         one for each byte; Ġ stands for the space
    tokens      a     Ġl ot           neighbours merged, the lowest rank first
    ids         64    300   313       looked up: the tokens of all pieces in a row

The characters exist for the files alone, ``vocab.json`` and ``merges.txt``. Any text
can be cut in this way, and what was cut can be put together again.

Where do the merges come from? From counting: the commonest pair of neighbours in a
large text becomes a token, then the commonest pair that there is now, and so on. A
merge's rank is its place in that order.

The traps: the space belongs to the word after it; one merge joins all its occurrences,
from left to right; the lowest rank goes first, wherever in the piece it is; and a
single token need not be a whole character, so join bytes before you decode them.

This is plain Python; there is no array and no model. Fill in from the top; each public
function has checks of its own. The three helpers with an underscore are blanks too;
use them or write it your way.

Look up: ``str.encode`` and ``bytes.decode`` (its ``errors``), ``itertools.pairwise``,
``collections.Counter``, ``min`` with its ``key``, and ``regex.findall``. The package
``regex`` is Python's ``re`` with Unicode's categories: ``\\p{L}``, ``\\p{N}``.
Check with ``pixi run tokenizer`` or ``uv run tokenizer``.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count, pairwise

import regex

type Pair = tuple[str, str]


def byte_characters() -> list[str]:
    """Lists the 256 characters that stand for the bytes 0 to 255 in GPT-2's files.

    The bytes 33 to 126, 161 to 172 and 174 to 255 are visible in Latin-1: each stands
    for itself. The other bytes get the characters from U+0100 on, in order.

    Source: ``bytes_to_unicode`` in OpenAI's ``encoder.py`` of GPT-2.
    """
    # A byte and its character have the same number, if it is visible. The others are
    # counted: the first of them gets U+0100, the second U+0101, and so on.

    raise NotImplementedError(
        "Return the characters of the bytes 0 to 255, in this order."
    )


def pre_tokenize(text: str) -> list[str]:
    """Cuts a text into pieces; neighbours are merged inside a piece only.

    Joined, the pieces are the text. From each place on, a piece is the first of these
    that fits, and as long as it can be:

    1. one of ``'s 't 're 've 'm 'll 'd``, in small letters;
    2. letters (Unicode's category L), with one space before them or none;
    3. numbers (category N), with one space before them or none;
    4. characters that are neither of these nor whitespace, with one space or none;
    5. whitespace, without its last character if something else follows;
    6. whitespace.

    Source: Radford et al. 2019, section 2.2, and OpenAI's ``encoder.py``.
    """
    # One expression with six alternatives, in the order of the list above, finds all
    # pieces: it takes the first alternative that fits. "Not before something else" is a
    # look-ahead; \S is whatever is no whitespace. Mind that brackets make a group, and
    # that findall returns groups, where there are any, in place of whole matches.

    raise NotImplementedError("Return the pieces of the text, in order.")


def merge_pair(symbols: Sequence[str], pair: Pair) -> list[str]:
    """Joins every occurrence of two neighbours, from left to right, in a new list."""
    # Go through the symbols and build the new list. A symbol either joins the one that
    # you have put there last, or it is put behind it.

    raise NotImplementedError(
        "Return a new list in which the pair is one symbol wherever it occurs."
    )


def merge_by_rank(symbols: Sequence[str], ranks: Mapping[Pair, int]) -> list[str]:
    """Merges the pair of neighbours with the lowest rank, until no pair has a rank.

    Args:
        symbols: the characters of one piece.
        ranks: the rank of every pair that may be merged; 0 was learned first.

    Source: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words
    with Subword Units", section 3.2.
    """
    # As long as any pair of neighbours has a rank: merge the one whose rank is lowest.
    # New neighbours arise on the way, so look at all of them again each time.

    raise NotImplementedError(
        "Return the symbols after all merges that their neighbours allow."
    )


def tokenize(text: str, ranks: Mapping[Pair, int]) -> list[str]:
    """Cuts a text into tokens, written in the characters of ``byte_characters``.

    Each piece of the text becomes UTF-8 bytes, each byte its character, and the
    characters are merged by rank.
    """
    # The pieces, each spelled in characters and merged by rank; all tokens in one list.

    raise NotImplementedError("Return the tokens of all pieces, in one list.")


def _spell(piece: str) -> list[str]:
    """Writes a piece in characters, one for each of its bytes in UTF-8."""
    # In UTF-8 a letter of English is one byte; other characters have up to four.

    raise NotImplementedError(
        "Return the characters that stand for the bytes of the piece."
    )


def encode(
    text: str,
    vocabulary: Mapping[str, int],
    ranks: Mapping[Pair, int],
    *,
    special: Collection[str] = (),
) -> list[int]:
    """Turns a text into ids.

    Args:
        text: any text; an empty one has no ids.
        vocabulary: the id of every token, as in ``vocab.json``.
        ranks: the rank of every merge, as in ``merges.txt``.
        special: texts that become the single token of that name, such as
            ``<|endoftext|>``. All other text is cut as usual, whatever it says.
    """
    # First cut out what is special, and keep it. A special text is one token as it
    # stands; the parts between are texts of their own. Every token has its id.

    raise NotImplementedError(
        "Return the ids of the text's tokens, special ones included."
    )


def _split_special(text: str, special: Collection[str]) -> list[str]:
    """Cuts a text before and after each special text; parts may be empty."""
    # "".split drops what it splits at, and re.split keeps it if it is in a group. A
    # special text may hold signs that mean something in a pattern: escape them.

    raise NotImplementedError(
        "Return the parts of the text, the special ones among them."
    )


def decode(ids: Iterable[int], vocabulary: Mapping[str, int]) -> str:
    """Turns ids into a text; U+FFFD stands where the bytes are no UTF-8."""
    # Turn both tables round: from ids to tokens, and from characters to bytes. A
    # character may begin in one token and end in the next.

    raise NotImplementedError(
        "Return the text that the bytes of all tokens make together."
    )


def make_vocabulary(merges: Iterable[Pair]) -> dict[str, int]:
    """Numbers the tokens: the 256 characters by code point, then what merges make.

    A token that two merges make keeps its first id.
    """
    # All tokens in the order of their ids, without those that have occurred before.

    raise NotImplementedError(
        "Return the id of each character and of each merged token."
    )


def learn_merges(text: str, number: int) -> list[Pair]:
    """Learns merges from a text: the commonest pair of neighbours, again and again.

    Of equally common pairs, the one whose first token has the lower id in
    ``make_vocabulary`` is merged, and among those the one with the lower second id.

    Args:
        text: pairs are counted inside its pieces only.
        number: how many merges; fewer if no neighbours are left.

    Returns:
        The merges, in the order in which they were learned.

    Source: Sennrich, Haddow and Birch 2016, section 3.2, algorithm 1.
    """
    # The same piece occurs many times: keep each different one once, spelled, with its
    # number of occurrences.

    # For every merge: count the pairs; choose the commonest, of equals the one with the
    # lower ids; note it; merge it in every word.

    raise NotImplementedError("Return the merges, the commonest pair first.")


def _count_pairs(words: Mapping[tuple[str, ...], int]) -> Counter[Pair]:
    """Counts the pairs of neighbours in words, each as often as the word occurs."""
    # A word that occurs n times brings each of its pairs n times more.

    raise NotImplementedError("Return how often each pair occurs.")

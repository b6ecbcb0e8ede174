"""Encore: the tokenizer, from a text to ids and back, and how its merges are learned.

GPT-2's tokenizer is a byte-level BPE. A text is cut into pieces, every byte of a piece
becomes one printable character, and neighbours are merged in the order of their ranks.
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
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = count(0x100)
    return [chr(byte if byte in visible else next(others)) for byte in range(256)]


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
    words = r" ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+"
    return regex.findall(rf"'(?:[stmd]|re|ve|ll)|{words}|\s+(?!\S)|\s+", text)


def merge_pair(symbols: Sequence[str], pair: Pair) -> list[str]:
    """Joins every occurrence of two neighbours, from left to right, in a new list."""
    merged: list[str] = []
    for symbol in symbols:
        if merged and (merged[-1], symbol) == pair:
            merged[-1] += symbol
        else:
            merged.append(symbol)
    return merged


def merge_by_rank(symbols: Sequence[str], ranks: Mapping[Pair, int]) -> list[str]:
    """Merges the pair of neighbours with the lowest rank, until no pair has a rank.

    Args:
        symbols: the characters of one piece.
        ranks: the rank of every pair that may be merged; 0 was learned first.

    Source: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words
    with Subword Units", section 3.2.
    """
    merged = list(symbols)
    while known := [pair for pair in pairwise(merged) if pair in ranks]:
        merged = merge_pair(merged, min(known, key=ranks.__getitem__))
    return merged


def tokenize(text: str, ranks: Mapping[Pair, int]) -> list[str]:
    """Cuts a text into tokens, written in the characters of ``byte_characters``.

    Each piece of the text becomes UTF-8 bytes, each byte its character, and the
    characters are merged by rank.
    """
    pieces = map(_spell, pre_tokenize(text))
    return [token for piece in pieces for token in merge_by_rank(piece, ranks)]


def _spell(piece: str) -> list[str]:
    """Writes a piece in characters, one for each of its bytes in UTF-8."""
    character = dict(enumerate(byte_characters()))
    return [character[byte] for byte in piece.encode("utf-8")]


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
    ids: list[int] = []
    for part in _split_special(text, special):
        tokens = [part] if part in special else tokenize(part, ranks)
        ids += [vocabulary[token] for token in tokens]
    return ids


def _split_special(text: str, special: Collection[str]) -> list[str]:
    """Cuts a text before and after each special text; parts may be empty."""
    if not special:
        return [text]
    return re.split(f"({'|'.join(map(re.escape, special))})", text)


def decode(ids: Iterable[int], vocabulary: Mapping[str, int]) -> str:
    """Turns ids into a text; U+FFFD stands where the bytes are no UTF-8."""
    token = {number: text for text, number in vocabulary.items()}
    byte = {character: number for number, character in enumerate(byte_characters())}
    data = bytes(byte[character] for number in ids for character in token[number])
    return data.decode("utf-8", errors="replace")


def make_vocabulary(merges: Iterable[Pair]) -> dict[str, int]:
    """Numbers the tokens: the 256 characters by code point, then what merges make.

    A token that two merges make keeps its first id.
    """
    tokens = [*sorted(byte_characters()), *map("".join, merges)]
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}


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
    words = {tuple(_spell(p)): n for p, n in Counter(pre_tokenize(text)).items()}
    merges: list[Pair] = []
    while len(merges) < number and (counts := _count_pairs(words)):
        ids = make_vocabulary(merges)
        best = min(counts, key=lambda p: (-counts[p], ids[p[0]], ids[p[1]]))
        merges.append(best)
        words = {tuple(merge_pair(word, best)): n for word, n in words.items()}
    return merges


def _count_pairs(words: Mapping[tuple[str, ...], int]) -> Counter[Pair]:
    """Counts the pairs of neighbours in words, each as often as the word occurs."""
    counts: Counter[Pair] = Counter()
    for word, occurrences in words.items():
        for pair in pairwise(word):
            counts[pair] += occurrences
    return counts

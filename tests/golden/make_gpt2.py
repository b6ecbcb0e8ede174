"""Write a part of GPT-2's tokenizer, and the ids of OpenAI's tokenizer for some texts.

Needs tiktoken 0.14.0, and GPT-2's vocab.json and merges.txt in a folder (the hub has
them). From the repository root:

    uv run --no-project --with tiktoken==0.14.0 python tests/golden/make_gpt2.py FOLDER

gpt2/vocab.json   the 256 bytes, the first merges, and every token in the texts with
gpt2/merges.txt   the merges that lead to it, all with the ids that they have in GPT-2.
                  With these alone the texts become the same tokens as with all 50,257.
gpt2/texts.json   the texts and their ids, by tiktoken with the whole vocabulary

GPT-2's files are OpenAI's, under the MIT licence.
"""

import argparse
import json
from pathlib import Path

from tiktoken import Encoding
from tiktoken_ext.openai_public import r50k_pat_str

HERE = Path(__file__).resolve().parent / "gpt2"
END = "<|endoftext|>"
FIRST = 300  # the first merges, kept even if no text needs them
TEXTS = [
    "Hello world",
    "",
    " ",
    "a  b   c \n\n\td\r\n  e  ",
    "I'm sure you'll say they've DON'T, it's Tom's 'quoted' can’t",
    "In 2019 it cost $1,234,567.89 (≈ ½ of ²³√10%)",
    "x = x + mha(layer_norm(x, **p), n_head=12)  # [T, C] -> [T, C]",
    "naïve café, Ærøskøbing, cafe\u0301, Straße, ﬁnd",
    "日本語とご飯、한국어, русский, ελληνικά, עברית, العربيّة, हिन्दी ०१२",
    " 🤖 says ご 👩‍👩‍👧‍👦 🇳🇱 👍🏽",
    "\x00\x07\x7f\u00a0\u200b\u2028\ufeff\ufffd",
    "aaaaaaaaaaaaaaaaaaaaaaaaa!!!!!!!!!!!!!!!!----------------",
    " SolidGoldMagikarp antidisestablishmentarianism pneumonoultramicroscopic",
    "https://example.org/a_b?c=%20&d=e#f",
    "one<|endoftext|>two <|endoftext|> <|endoftext>",
    "the the The THE\nThe\nTHE\n",
    "Ⅷ x² ½ ª º ⅷ ൫ ǅ x\u00ad\u200d\u3000 \x1c \x85",
    "The dog is happy today.",
    "Der Hund ist heute glücklich.",
    "Собака сегодня счастлива.",
    "הכלב שמח היום.",
    "犬は今日幸せです。",
]


def bytes_of(alphabet: str) -> dict[str, int]:
    """The byte behind each character of GPT-2's files.

    A printable byte is its own character. The others have characters from U+0100 on.
    """
    prints = [b for b in range(256) if chr(b).isprintable() and chr(b) != " "]
    others = (b for b in range(256) if b not in prints)
    found = {chr(b): b for b in prints}
    found |= {chr(256 + n): b for n, b in enumerate(others)}
    assert found.keys() == set(alphabet)
    return found


def openai_tokenizer(vocabulary: dict[str, int]) -> Encoding:
    """OpenAI's tokenizer. It needs no merges: their order is that of the ids."""
    ids = {token: i for token, i in vocabulary.items() if token != END}
    byte = bytes_of("".join(token for token in ids if len(token) == 1))
    return Encoding(
        "gpt2",
        pat_str=r50k_pat_str,
        mergeable_ranks={
            bytes(byte[letter] for letter in token): i for token, i in ids.items()
        },
        special_tokens={END: vocabulary[END]},
    )


def parts(token: str, merges: dict[str, str]) -> set[str]:
    """A token and all parts that are merged to form it."""
    if token not in merges:  # a byte, or the end of text
        return {token}
    first, second = merges[token].split()
    return {token} | parts(first, merges) | parts(second, merges)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if not line.startswith("#version")]
    merges = {line.replace(" ", ""): line for line in lines}
    tokenizer = openai_tokenizer(vocabulary)
    ids = [tokenizer.encode(text, allowed_special={END}) for text in TEXTS]
    used = {i for text in ids for i in text}
    tokens = [t for t, i in vocabulary.items() if i in used or i < 256 + FIRST]
    kept = set().union({END}, *(parts(token, merges) for token in tokens))
    HERE.mkdir(exist_ok=True)
    small = {token: i for token, i in vocabulary.items() if token in kept}
    (HERE / "vocab.json").write_text(json.dumps(small, indent=0) + "\n")
    order = [line for token, line in merges.items() if token in kept]
    (HERE / "merges.txt").write_text("\n".join(["#version: 0.2", *order]) + "\n")
    cases = [{"text": t, "ids": i} for t, i in zip(TEXTS, ids, strict=True)]
    made = "[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n"
    (HERE / "texts.json").write_text(made)


if __name__ == "__main__":
    main()

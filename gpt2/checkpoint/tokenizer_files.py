"""Reads a tokenizer from the files of a folder, of which there may be six."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as BPETokenizer

from gpt2.checkpoint.configuration import read_json
from gpt2.checkpoint.contents import is_there, unreadable
from gpt2.checkpoint.errors import CheckpointError

END_OF_TEXT = "<|endoftext|>"  # separates the texts in the training data
# The second pair are OpenAI's names of the same files.
VOCABULARIES = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))
# The order in which transformers adds them.
NAMED = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")


def read_bpe(folder: Path) -> BPETokenizer:
    """Reads tokenizer.json, or else vocab.json and merges.txt.

    As in transformers, the other files only add tokens that those files lack. A token
    keeps its id: an id that the file gives and that is taken is an error.

    Raises:
        CheckpointError: files are missing, damaged, or contradict each other.
    """
    file = folder / "tokenizer.json"
    bpe = _whole(file) if is_there(file) else _vocabulary(folder)
    spaced = read_optional(folder / "tokenizer_config.json").get("add_prefix_space")
    if isinstance(spaced, bool) and isinstance(
        bpe.pre_tokenizer, pre_tokenizers.ByteLevel
    ):
        bpe.pre_tokenizer.add_prefix_space = spaced
    for number, token in _sorted_tokens(folder):
        _add(bpe, number, token, folder)
    if bpe.token_to_id(END_OF_TEXT) is not None:  # otherwise BPE may split it
        _add(bpe, None, AddedToken(END_OF_TEXT, special=True), folder)
    return bpe


def read_optional(path: Path) -> dict[str, Any]:
    """Reads a JSON object; a missing file is an empty one."""
    return read_json(path) if path.is_file() else {}


def special_names(folder: Path) -> dict[str, Any]:
    """Returns the entries that name special tokens, such as ``eos_token``."""
    return read_optional(folder / "special_tokens_map.json") | read_optional(
        folder / "tokenizer_config.json"
    )


def content_of(entry: Any) -> str | None:
    """Returns a named token's text; the files have it alone, or in an object."""
    text = entry.get("content") if isinstance(entry, dict) else entry
    return text if isinstance(text, str) else None


def _whole(path: Path) -> BPETokenizer:
    """Reads tokenizer.json."""
    try:
        return BPETokenizer.from_str(path.read_text(encoding="utf-8-sig"))
    except Exception as error:  # the library raises no narrower type
        bad = (
            f"{path} cannot be read ({error}): get the file again, or save it again "
            "with another version of tokenizers"
        )
        raise unreadable(path, bad) from error


def _vocabulary(folder: Path) -> BPETokenizer:
    """Reads vocab.json and merges.txt."""
    pairs = [(folder / first, folder / second) for first, second in VOCABULARIES]
    whole = [pair for pair in pairs if all(path.is_file() for path in pair)]
    if not whole:
        raise CheckpointError(
            f"{folder} has no tokenizer: tokenizer.json is needed, or vocab.json and "
            "merges.txt"
        )
    vocabulary, merges = whole[0]
    try:
        model = models.BPE(read_json(vocabulary), list(_merges(merges)))
    except CheckpointError:
        raise
    except Exception as error:  # the library raises no narrower type
        bad = f"{vocabulary} and {merges.name} cannot be read ({error}): get both again"
        raise unreadable(merges, bad) from error
    bpe = BPETokenizer(model)
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    return bpe


def _merges(path: Path) -> Iterator[tuple[str, str]]:
    """Yields the pairs of merges.txt, in order; ``#version`` may be missing."""
    for line in path.read_text(encoding="utf-8-sig").split("\n"):
        pair = line.removesuffix("\r").split(" ")
        if pair != [""] and not line.startswith("#version"):
            first, second = pair
            yield first, second


def _sorted_tokens(folder: Path) -> list[tuple[int | None, AddedToken]]:
    """Returns the tokens of all further files, first those with an id, in order."""
    config = read_optional(folder / "tokenizer_config.json")
    found: dict[str, tuple[int | None, AddedToken]] = {}
    for number, entry in (config.get("added_tokens_decoder") or {}).items():
        flags = {key: value for key, value in entry.items() if key != "__type"}
        found[entry["content"]] = int(number), AddedToken(**flags)
    special = {text: flags for text, flags in _named(special_names(folder))}
    if not found:
        for text, number in read_optional(folder / "added_tokens.json").items():
            flags = special.get(text, {"content": text})
            found[text] = int(number), AddedToken(**flags)
    for text, flags in special.items():
        found.setdefault(text, (None, AddedToken(**flags)))
    tokens = list(found.values())
    return sorted(tokens, key=lambda one: (one[0] is None, one[0] or 0))


def _named(entries: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the text and the flags of each special token that has a name."""
    more = entries.get("additional_special_tokens")
    values = [entries.get(f"{name}_token") for name in NAMED]
    for value in [*values, *(more if isinstance(more, list) else [])]:
        if text := content_of(value):
            flags = value if isinstance(value, dict) else {}
            known = ("lstrip", "rstrip", "single_word", "normalized")
            kept = {key: flags[key] for key in known if key in flags}
            yield text, {"content": text, "special": True} | kept


def _add(
    bpe: BPETokenizer, number: int | None, token: AddedToken, folder: Path
) -> None:
    """Adds one token unless the tokenizer has it; its id must be the next one."""
    known = bpe.token_to_id(token.content)
    if known is not None and known in bpe.get_added_tokens_decoder():
        return
    add = bpe.add_special_tokens if token.special else bpe.add_tokens
    add([token])
    got = bpe.token_to_id(token.content)
    if number not in (None, got):
        raise CheckpointError(
            f"the tokenizer's files in {folder} contradict each other: one gives "
            f"{token.content!r} the id {number}, but by the others it would be {got}"
        )

"""Finds the tokens that begin and end a text, as a checkpoint's files name them."""

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as BPETokenizer

from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.tokenizer_files import (
    END_OF_TEXT,
    content_of,
    read_optional,
    special_names,
)


def boundary_ids(folder: Path, bpe: BPETokenizer, kind: str) -> tuple[int, ...]:
    """Returns the ids of the tokens that begin or end a text.

    generation_config.json has priority over config.json, which has priority over the
    tokenizer's files and over ``<|endoftext|>``. A file without a usable id, such as
    null, -1 or an id that no token has, leaves the answer to the next.

    Args:
        folder: the checkpoint.
        bpe: the tokenizer.
        kind: "bos" for the beginning, "eos" for the end.

    Raises:
        CheckpointError: a file has something else than ids.
    """
    for name in ("generation_config.json", "config.json"):
        path = folder / name
        ids = _ids(path, f"{kind}_token_id", read_optional(path))
        if usable := [number for number in ids if _exists(bpe, number)]:
            return tuple(usable)
    named = content_of(special_names(folder).get(f"{kind}_token"))
    for text in filter(None, (named, END_OF_TEXT)):
        if (number := bpe.token_to_id(text)) is not None:
            return (number,)
    return ()


def _ids(path: Path, key: str, settings: dict[str, Any]) -> list[int]:
    """Returns the ids in a file, which has one, a list, or null."""
    value = settings.get(key)
    ids = value if isinstance(value, list) else [] if value is None else [value]
    if all(isinstance(number, int) and not isinstance(number, bool) for number in ids):
        return ids
    raise CheckpointError(
        f"{path} has {key} = {value!r}: it must be a token id, or a list of them"
    )


def _exists(bpe: BPETokenizer, number: int) -> bool:
    """Whether the tokenizer has a token with this id."""
    return 0 <= number < 2**32 and bpe.id_to_token(number) is not None

"""Reads a text, trains its tokenizer and draws windows of tokens."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, stack, tensor

END = "<|endoftext|>"
HELD_OUT_EVERY = 40  # one document of 40 is kept for validation
LEAST = 20_000  # characters of a text that is worth a training
PIECE = 2_000  # characters of a piece of one long document


class TextError(ValueError):
    """A file is no text to learn from; the message goes on after the file's name."""


@dataclass(frozen=True)
class Text:
    """A text as ids ``[N]``: what the model learns from, and what only measures it."""

    tokenizer: Tokenizer
    training: Tensor
    validation: Tensor
    validation_bytes: int

    def bits_per_byte(self, loss: float) -> float:
        """Converts a validation loss in nats per token."""
        return bits_per_byte(loss, len(self.validation) - 1, self.validation_bytes)


def bits_per_byte(loss: float, tokens: int, size: int) -> float:
    """Converts a loss in nats per token: bits per byte compare tokenizers."""
    return loss * tokens / size / math.log(2)


def read_text(path: Path, tokenizer: Tokenizer | int) -> Text:
    """Reads a file. A new tokenizer learns from all documents that are not held out.

    Args:
        path: the file.
        tokenizer: a finished tokenizer, or the size of the one to train.

    Raises:
        TextError: the file cannot be used.
    """
    documents = read_documents(path)
    kept = [d for i, d in enumerate(documents) if i % HELD_OUT_EVERY]
    held_out = documents[::HELD_OUT_EVERY]
    if isinstance(tokenizer, int):
        tokenizer = train_tokenizer(kept, tokenizer)
    ids = encode(tokenizer, kept), encode(tokenizer, held_out)
    return Text(tokenizer, *ids, count_bytes(held_out))


def count_bytes(documents: list[str]) -> int:
    """The size in UTF-8; the end of a document counts as one byte."""
    return sum(len(document.encode()) + 1 for document in documents)


def read_documents(path: Path) -> list[str]:
    """Returns the documents of a UTF-8 file, which ``<|endoftext|>`` separates.

    A file without ``<|endoftext|>`` is cut into pieces of whole paragraphs.

    Raises:
        TextError: the file cannot be used.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TextError(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TextError("is not in UTF-8: save it in UTF-8") from error
    pieces = text.split(END) if END in text else paragraphs(text)
    documents = [piece.strip() for piece in pieces if piece.strip()]
    if len(documents) < 2 or len(text) < LEAST:
        raise TextError(f"has too little text: {LEAST:,} characters are the least")
    return documents


def paragraphs(text: str) -> list[str]:
    """Cuts a text into pieces of ``PIECE`` characters or a little more.

    It cuts at empty lines, where these are rare at line ends, and else at blanks.
    """
    marks = "\n\n", "\n", " "
    often = (mark for mark in marks if text.count(mark) * PIECE > len(text))
    mark = next(often, "")
    pieces, piece = [], ""
    for part in text.split(mark) if mark else text:
        piece += part + mark
        if len(piece) >= PIECE:
            pieces.append(piece)
            piece = ""
    return [*pieces, piece]


def train_tokenizer(documents: list[str], size: int) -> Tokenizer:
    """Trains a byte-level BPE with at most ``size`` tokens, of which 0 ends a text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END],
        # All 256 bytes, so that the tokenizer can encode any text.
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, documents: list[str]) -> Tensor:
    """Encodes documents as one row of ids: the end token is between and around them."""
    end, ids = tokenizer.token_to_id(END), []
    for encoded in tokenizer.encode_batch(documents):
        ids += [end, *encoded.ids]
    return tensor([*ids, end])


def batches(
    ids: Tensor, size: int, context: int, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields inputs and targets ``[size, context]`` without end.

    An epoch reads each token once, in windows in random order. Each epoch cuts the
    windows at other places.
    """
    rng = np.random.default_rng(seed)
    starts: list[int] = []
    while True:
        while len(starts) < size:
            first = int(rng.integers(context)) if len(ids) > 2 * context else 0
            epoch = np.arange(first, len(ids) - context, context)
            starts += rng.permutation(epoch).tolist()
        chosen, starts = starts[:size], starts[size:]
        rows = stack([ids[s : s + context + 1] for s in chosen])
        yield rows[:, :-1], rows[:, 1:]

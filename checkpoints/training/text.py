"""Reads a text, trains its tokenizer and draws windows of tokens."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

END = "<|endoftext|>"
HELD_OUT_EVERY = 40  # one document of 40 is kept for validation


def read_documents(path: Path) -> list[str]:
    """Returns the documents of a UTF-8 file, which ``<|endoftext|>`` separates.

    A file without ``<|endoftext|>`` is cut into pieces of whole paragraphs.

    Raises:
        SystemExit: the file cannot be read, or has too little text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SystemExit(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SystemExit(f"{path} is not in UTF-8: save it in UTF-8") from error
    pieces = text.split(END) if END in text else paragraphs(text)
    documents = [piece.strip() for piece in pieces if piece.strip()]
    if len(documents) < 2 or len(text) < 20_000:
        raise SystemExit(f"{path} has too little text: give at least 20,000 characters")
    return documents


def paragraphs(text: str, size: int = 2000) -> list[str]:
    """Cuts a text at empty lines, or at line ends, into pieces of about ``size``."""
    separator = "\n\n" if text.count("\n\n") >= len(text) // 10_000 else "\n"
    pieces, piece = [], ""
    for paragraph in text.split(separator):
        piece += paragraph + separator
        if len(piece) >= size:
            pieces.append(piece)
            piece = ""
    return [*pieces, piece]


def split(documents: list[str]) -> tuple[list[str], list[str]]:
    """Splits into training and validation documents."""
    held_out = documents[::HELD_OUT_EVERY]
    return [d for i, d in enumerate(documents) if i % HELD_OUT_EVERY], held_out


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


def encode(tokenizer: Tokenizer, documents: list[str]) -> torch.Tensor:
    """Encodes documents as one row of ids: the end token is between and around them."""
    end, ids = tokenizer.token_to_id(END), []
    for encoded in tokenizer.encode_batch(documents):
        ids += [end, *encoded.ids]
    return torch.tensor([*ids, end])


def batches(
    ids: torch.Tensor, size: int, context: int, seed: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
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
        rows = torch.stack([ids[s : s + context + 1] for s in chosen])
        yield rows[:, :-1], rows[:, 1:]

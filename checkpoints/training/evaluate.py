# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "torch==2.13.0", "numpy==2.5.5", "tokenizers==0.23.3", "safetensors==0.8.0",
#   "click==8.5.1",
# ]
# [tool.uv]
# exclude-newer = "2026-11-24T00:00:00Z"
# ///
"""Measures a model: ``uv run checkpoints/training/evaluate.py MODEL TEXT``."""

import math
import sys
from pathlib import Path

import click
from files import ModelError, load, load_tokenizer
from measure import validation_loss
from text import (
    HELD_OUT_EVERY,
    TextError,
    bits_per_byte,
    count_bytes,
    encode,
    read_documents,
)


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("text", type=click.Path(path_type=Path))
@click.option("--held-out", is_flag=True, help="only what train.py holds out of TEXT")
def main(model: Path, text: Path, held_out: bool) -> None:
    """Print the loss of MODEL, a folder from train.py, on the file TEXT."""
    try:
        documents = read_documents(text)[:: HELD_OUT_EVERY if held_out else 1]
        ids = encode(load_tokenizer(model), documents)
        loss, size = validation_loss(load(model), ids), count_bytes(documents)
    except TextError as error:
        sys.exit(f"{text} {error}.")
    except ModelError as error:
        sys.exit(f"{model} {error}.")
    print(
        f"{len(documents):,} documents, {len(ids) - 1:,} tokens, {size:,} bytes: "
        f"loss {loss:.4f}, perplexity {math.exp(loss):.2f}, "
        f"{bits_per_byte(loss, len(ids) - 1, size):.4f} bits per byte"
    )


if __name__ == "__main__":
    main()

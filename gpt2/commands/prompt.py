"""The prompt: from the argument, a file or standard input, and whether it fits."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from course.commands import typed
from gpt2.checkpoint.context import new_tokens
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint

COMMANDS = ("chat", "layers", "compare", "diversity", "plot", "serve")  # no prompts
NEW_TOKENS = 100  # written unless told otherwise, or fewer where fewer fit


def read_prompt(argument: str | None, file: Path | None, *, literal: bool) -> str:
    """Returns the prompt from wherever it is.

    Args:
        argument: from the command line; ``-`` stands for standard input.
        file: where the prompt is instead.
        literal: the argument is text even where it looks like a command.

    Raises:
        click.UsageError: there is no prompt, or two, or it is not text.
    """
    if argument is not None and file is not None:
        raise click.UsageError("give a PROMPT or --prompt-file, not both.")
    if argument in COMMANDS and not literal:
        raise click.UsageError(
            f"{argument!r} comes before its options: gpt2 {argument} …; for a text "
            f"that starts with this word: gpt2 -- {argument}"
        )
    if file is not None:
        return _without_last_newline(as_text(file.read_bytes(), f"{file}"))
    if argument == "-" or (argument is None and not sys.stdin.isatty()):
        data = sys.stdin.buffer.read()
        return _without_last_newline(as_text(data, "standard input"))
    if argument is None:
        raise click.UsageError(
            f'give a prompt, for example: {typed("gpt2")} "Once upon a time"'
        )
    return as_argument(argument)


def as_argument(text: str) -> str:
    """The same text, or ``click.UsageError`` where the shell gave no UTF-8."""
    return as_text(text.encode(errors="surrogateescape"), "the prompt")


def as_text(data: bytes, source: str) -> str:
    """Decodes UTF-8, or raises ``click.UsageError`` where it is something else."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise click.UsageError(
            f"{source} is not UTF-8 text: byte {error.start + 1} is "
            f"{data[error.start]:#04x}."
        ) from error


def _without_last_newline(text: str) -> str:
    """Drops the newline that editors and ``echo`` put at the end."""
    return text.removesuffix("\n").removesuffix("\r")


@dataclass(frozen=True)
class Start:
    """A model and the text that it is to continue, by up to ``count`` tokens."""

    checkpoint: Checkpoint
    text: str
    ids: list[int]
    count: int

    def describe(self) -> dict[str, Any]:
        """The prompt, for JSON."""
        return {"prompt": self.text, "prompt_ids": self.ids}


def open_start(
    model: str, text: str, wanted: int | None, default: int = NEW_TOKENS
) -> Start:
    """Loads a model and gives it the text, if that fits.

    Args:
        model: its name or folder.
        text: the prompt.
        wanted: how many tokens to write; None for the default, or what fits.
        default: that default.

    Raises:
        CheckpointError: the model cannot be used.
        ContextError: the text does not fit.
    """
    checkpoint = load_checkpoint(model)
    ids = checkpoint.tokenizer.encode_prompt(text)
    count = new_tokens(checkpoint, len(ids), wanted, default)
    return Start(checkpoint, text, ids, count)

"""The prompt: from the argument, a file or standard input, and whether it fits."""

import sys
from pathlib import Path

import click

from gpt2.checkpoints import Checkpoint

COMMANDS = ("chat", "layers")  # words that are no prompt
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
            f"{argument!r} comes before its options: python -m gpt2 {argument} …; for "
            f"a text that starts with this word: python -m gpt2 -- {argument}"
        )
    if file is not None:
        return _without_last_newline(as_text(file.read_bytes(), f"{file}"))
    if argument == "-" or (argument is None and not sys.stdin.isatty()):
        data = sys.stdin.buffer.read()
        return _without_last_newline(as_text(data, "standard input"))
    if argument is None:
        raise click.UsageError(
            'give a prompt, for example: python -m gpt2 "Once upon a time"'
        )
    return as_text(argument.encode(errors="surrogateescape"), "the prompt")


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


def new_tokens(checkpoint: Checkpoint, prompt_tokens: int, wanted: int | None) -> int:
    """Returns how many tokens to write after the prompt.

    Raises:
        click.UsageError: the model cannot see a text of that length.
    """
    context = checkpoint.config.n_positions
    room = context - prompt_tokens
    if room < (wanted or 0) or (wanted is None and room == 0):
        raise click.UsageError(
            f"{checkpoint.name} sees at most {context} tokens: the prompt has "
            f"{prompt_tokens}, which leaves room for {max(room, 0)} new ones"
            + (f", not for {wanted}." if wanted else ".")
        )
    return min(NEW_TOKENS, room) if wanted is None else wanted

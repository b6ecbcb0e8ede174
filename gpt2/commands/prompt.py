"""Reads the prompt from the argument, a file or standard input, and checks it."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from course.commands import typed
from gpt2.checkpoint.context import new_tokens
from gpt2.checkpoint.drafts import Draft, load_draft
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from gpt2.checkpoint.tokenizer import Tokenizer

# These are no prompts.
COMMANDS = ("chat", "layers", "inside", "compare", "diversity", "plot", "serve")
NEW_TOKENS = 100  # default; fewer if fewer fit


def read_prompt(argument: str | None, file: Path | None, *, literal: bool) -> str:
    """Returns the prompt from the argument, the file or standard input.

    Args:
        argument: from the command line; ``-`` stands for standard input.
        file: a file with the prompt.
        literal: the argument is a prompt even if it is a command's name.

    Raises:
        click.UsageError: there is no prompt, or two prompts, or no valid text.
    """
    if argument is not None and file is not None:
        raise click.UsageError("give a PROMPT or --prompt-file, not both.")
    if argument in COMMANDS and not literal:
        raise click.UsageError(
            f"{argument!r} comes before its options: {typed(f'gpt2 {argument}')} …; "
            f"for a text that starts with this word: {typed(f'gpt2 -- {argument}')}"
        )
    if file is not None:
        return _without_last_newline(as_text(file.read_bytes(), f"{file}"))
    if argument == "-" or (argument is None and not sys.stdin.isatty()):
        return _without_last_newline(as_text(_read_stdin(), "standard input"))
    if argument is None:
        raise click.UsageError(
            f'give a prompt, for example: {typed("gpt2")} "Once upon a time"'
        )
    return as_argument(argument)


def _read_stdin() -> bytes:
    """Reads standard input; a notebook's or an editor's has text and no bytes."""
    if hasattr(sys.stdin, "buffer"):
        return sys.stdin.buffer.read()
    return sys.stdin.read().encode(errors="surrogateescape")


def as_argument(text: str) -> str:
    """Returns ``text``; raises ``click.UsageError`` if it is not valid UTF-8."""
    return as_text(text.encode(errors="surrogateescape"), "the prompt")


def as_text(data: bytes, source: str) -> str:
    """Decodes UTF-8; raises ``click.UsageError`` for other bytes.

    Windows writes a byte order mark before UTF-8; it is no part of the text.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(
            f"{source} is not UTF-8 text: byte {error.start + 1} is "
            f"{data[error.start]:#04x}."
        ) from error


def _without_last_newline(text: str) -> str:
    """Removes the newline that editors and ``echo`` add at the end."""
    return text.removesuffix("\n").removesuffix("\r")


@dataclass(frozen=True)
class Start:
    """A model, and a text to continue by up to ``count`` tokens."""

    checkpoint: Checkpoint
    text: str
    ids: list[int]
    count: int

    def load_draft(self, name: str, tokens: int) -> Draft:
        """Loads a draft for this text; raises ``CheckpointError`` if none fits."""
        return load_draft(name, tokens, self.checkpoint, self.longest)

    @property
    def longest(self) -> int:
        """The number of tokens of the longest text to come."""
        return len(self.ids) + self.count

    def cut_by(self, tokenizer: Tokenizer) -> "Start":
        """Returns this start with the ids of another tokenizer."""
        return replace(self, ids=tokenizer.encode_prompt(self.text))

    def describe(self) -> dict[str, Any]:
        """The prompt, for JSON."""
        return {"prompt": self.text, "prompt_ids": self.ids}


def open_start(
    model: str, text: str, wanted: int | None, default: int = NEW_TOKENS
) -> Start:
    """Loads a model, encodes the text and checks that the text fits.

    Args:
        model: the model's name or folder.
        text: the prompt.
        wanted: the number of new tokens; None writes ``default``, or as many as fit.
        default: the number for ``wanted=None``.

    Raises:
        CheckpointError: the model cannot be used.
        ContextError: the text does not fit.
    """
    checkpoint = load_checkpoint(model)
    ids = checkpoint.tokenizer.encode_prompt(text)
    count = new_tokens(checkpoint, len(ids), wanted, default)
    return Start(checkpoint, text, ids, count)

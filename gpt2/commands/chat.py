"""``gpt2 chat``: the user and the model write a story in turns."""

import contextlib
import io
import signal
import sys
from collections.abc import Iterator
from typing import Any

import click

from gpt2.checkpoint.context import ContextError, new_tokens
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from gpt2.commands.command import Command
from gpt2.commands.options import CHOICE, MODEL
from gpt2.commands.prompt import as_text
from gpt2.commands.terminal import note, show
from gpt2.decoding.generation import Strategy
from gpt2.runs import Run
from gpt2.writer import Writer
from runtime.ctrl_c import stoppable

GREETING = """Type the beginning of a story. The model continues, then it is your turn.
After an empty line the model continues alone. Ctrl-C stops the model. Ctrl-D leaves."""


@click.command(cls=Command)
@MODEL
@click.option(
    "--max-new-tokens",
    metavar="N",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="Tokens the model writes in its turn, or fewer where fewer fit.",
)
@CHOICE
def chat(
    model: str,
    engine: dict[str, Any],
    seed: int | None,
    max_new_tokens: int,
    **choice,
) -> None:
    """Write a story together: you type a line, then the model continues the story.

    After an empty line the model continues alone. Ctrl-C stops the model's turn.
    Ctrl-D ends the program. A new story begins when the story has ended or fills
    the model's context.
    """
    checkpoint = load_checkpoint(model)
    writer = Writer(checkpoint, seed=seed, note=note, **engine)
    story = Story(checkpoint, writer, Strategy(**choice))
    note(GREETING)
    for line in _lines():
        if story.add(line):
            story.go_on(max_new_tokens)


class Story:
    """The text so far, always with room for at least one more token.

    Args:
        checkpoint: the model.
        writer: writes the model's turns.
        strategy: the settings for choosing tokens.
    """

    def __init__(
        self, checkpoint: Checkpoint, writer: Writer, strategy: Strategy
    ) -> None:
        self.ids: list[int] = []
        self._checkpoint, self._tokenizer = checkpoint, writer.tokenizer
        self._writer, self._strategy = writer, strategy

    def add(self, line: str) -> bool:
        """Appends the user's line; returns False if the line does not fit."""
        end = self._tokenizer.decode(self.ids)[-1:]
        gap = " " if line and end.strip() else ""  # none at the start or after a space
        ids = self.ids + self._tokenizer.encode(gap + line)
        try:
            self._count(ids, 1)
        except ContextError as error:
            note(
                f"(Too long: the story would have {error.tokens} tokens, and the model "
                f"sees {error.context}.)"
            )
            return False
        self.ids = ids or [self._tokenizer.start_id]
        return True

    def go_on(self, count: int) -> None:
        """Lets the model write up to ``count`` tokens; notes the end of a story."""
        run, count = Run("", self.ids, self._tokenizer), self._count(self.ids, count)
        if show(run, self._writer.steps(self.ids, count, self._strategy)):
            note("(Stopped.)")
        self.ids = self.ids + run.new_ids
        if run.new_ids and self.ids[-1] in self._tokenizer.end_ids:
            self._start_anew("The end")
        elif len(self.ids) == (context := self._checkpoint.config.n_positions):
            self._start_anew(f"The story fills the {context} tokens in sight")

    def _count(self, ids: list[int], usual: int) -> int:
        """Returns how many tokens fit; raises ``ContextError`` if none does."""
        return new_tokens(self._checkpoint, len(ids), None, usual)

    def _start_anew(self, reason: str) -> None:
        note(f"({reason}. The next line begins a new story.)")
        self.ids = []


def _lines() -> Iterator[str]:
    """Yields the typed lines until Ctrl-D, with editing and history if available."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (input() uses it once imported)
    prompt = "> " if sys.stdin.isatty() and sys.stdout.isatty() else ""
    if isinstance(sys.stdin, io.TextIOWrapper):  # so that as_text reports bad UTF-8
        sys.stdin.reconfigure(errors="surrogateescape")
    with contextlib.suppress(EOFError):
        while True:
            with stoppable(signal.SIGINT, signal.SIGTERM):  # input() tidies up
                typed = input(prompt)
            line = typed.encode(errors="surrogateescape")
            yield as_text(line, "standard input").strip()
    click.echo(err=True, nl=bool(prompt))  # ends the line with ^D in a terminal

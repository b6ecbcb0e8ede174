"""``gpt2 chat``: a story that you and the model write in turns."""

import contextlib
import io
import sys
from collections.abc import Iterator

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

GREETING = """Type how the story begins. The model goes on, then it is your turn again.
An empty line lets it go on alone. Ctrl-C stops it, Ctrl-D leaves."""


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
    mine: bool,
    cache: bool,
    device: str,
    seed: int | None,
    max_new_tokens: int,
    **choice,
) -> None:
    """Write a story together: each line you type is added, and the model goes on.

    An empty line lets it go on alone; Ctrl-C stops its turn, Ctrl-D leaves. When
    the story has ended or is as long as the model can see, a new one begins.
    """
    checkpoint = load_checkpoint(model)
    writer = Writer(
        checkpoint, mine=mine, cache=cache, device=device, seed=seed, note=note
    )
    story = Story(checkpoint, writer, Strategy(**choice))
    note(GREETING)
    for line in _lines():
        if story.add(line):
            story.go_on(max_new_tokens)


class Story:
    """The text so far, which always has room for at least one more token.

    Args:
        checkpoint: the model.
        writer: writes its turns.
        strategy: how it chooses its words.
    """

    def __init__(
        self, checkpoint: Checkpoint, writer: Writer, strategy: Strategy
    ) -> None:
        self.ids: list[int] = []
        self._checkpoint, self._tokenizer = checkpoint, checkpoint.tokenizer
        self._writer, self._strategy = writer, strategy

    def add(self, line: str) -> bool:
        """Appends a line the user typed; returns False where it does not fit."""
        end = self._tokenizer.decode(self.ids)[-1:]
        gap = " " if line and end.strip() else ""  # none after nothing or a space
        ids = self.ids + self._tokenizer.encode(gap + line)
        try:
            self._count(ids, 1)
        except ContextError as error:
            note(
                f"(Too long: the story would have {error.tokens} tokens, and the model "
                f"sees {error.context}.)"
            )
            return False
        self.ids = ids or [self._tokenizer.end_of_text_id]
        return True

    def go_on(self, count: int) -> None:
        """Lets the model write up to ``count`` tokens, and says when it is over."""
        run, count = Run("", self.ids, self._tokenizer), self._count(self.ids, count)
        if show(run, self._writer.steps(self.ids, count, self._strategy)):
            note("(Stopped.)")
        self.ids = self.ids + run.new_ids
        if self.ids[-1] == self._tokenizer.end_of_text_id and run.new_ids:
            self._start_anew("The end")
        elif len(self.ids) == (context := self._checkpoint.config.n_positions):
            self._start_anew(f"The story fills the {context} tokens in sight")

    def _count(self, ids: list[int], usual: int) -> int:
        """How many tokens may follow; raises ``ContextError`` where none may."""
        return new_tokens(self._checkpoint, len(ids), None, usual)

    def _start_anew(self, reason: str) -> None:
        note(f"({reason}. The next line begins a new story.)")
        self.ids = []


def _lines() -> Iterator[str]:
    """Yields what is typed, until Ctrl-D; editing and history where there are."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (input() uses it once it is there)
    prompt = "> " if sys.stdin.isatty() and sys.stdout.isatty() else ""
    if isinstance(sys.stdin, io.TextIOWrapper):  # as_text complains, not input()
        sys.stdin.reconfigure(errors="surrogateescape")
    with contextlib.suppress(EOFError):
        while True:
            line = input(prompt).encode(errors="surrogateescape")
            yield as_text(line, "standard input").strip()
    click.echo(err=True, nl=bool(prompt))  # after the ^D of a terminal

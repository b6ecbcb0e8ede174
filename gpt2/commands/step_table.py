"""The table of ``--show-steps``, with one row for each token."""

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from gpt2.checkpoint.tokenizer import Tokenizer
from gpt2.decoding.generation import Step

COLUMNS = {"step": 4, "token": 12, "id": 5, "chance": 6}  # widths in characters


class StepTable:
    """Prints a heading and then each step to stderr.

    Args:
        tokenizer: turns ids into text.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._console = Console(stderr=True)
        self._rows = 0

    def add(self, step: Step) -> None:
        """Prints one row."""
        table = Table(box=None, padding=(0, 1, 0, 0), show_header=self._rows == 0)
        for name, width in COLUMNS.items():
            justify: JustifyMethod = "left" if name == "token" else "right"
            table.add_column(name, width=width, justify=justify, no_wrap=True)
        table.add_column("the five likeliest")
        self._rows += 1
        cells = (f"{self._rows}", self._tokenizer.visible(step.id), f"{step.id}")
        table.add_row(*map(Text, cells), f"{step.probability:.1%}", self._best(step))
        self._console.print(table)

    def _best(self, step: Step) -> Text:
        """Returns the likeliest tokens, with the chosen token in bold."""
        parts = [
            Text(
                f"{self._tokenizer.visible(token)} {chance:.0%}",
                style="bold" if token == step.id else "",
            )
            for token, chance in step.best
        ]
        return Text("  ").join(parts)

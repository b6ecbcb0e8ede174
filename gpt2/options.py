"""The options of the command, and how it reports what is wrong with them."""

import math
from collections.abc import Callable

import click

from gpt2.checkpoints import check_name
from gpt2.errors import CheckpointError, UnknownModelError

HELP_SECTIONS = {
    "Model": ("model", "mine", "cache"),
    "Text": ("text", "prompt_file", "max_new_tokens"),
    "Choosing the next token": (
        "temperature",
        "top_k",
        "top_p",
        "min_p",
        "repetition_penalty",
        "seed",
    ),
    "Output": ("show_steps", "json_object"),
}


class FiniteRange(click.FloatRange):
    """A number in a range; NaN is in none, which ``FloatRange`` does not notice."""

    def convert(self, value, param, ctx):
        """Returns the number, or fails with a usage error."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


class ModelName(click.ParamType):
    """The name of a model, or a folder."""

    name = "name|folder"

    def convert(self, value, param, ctx):
        """Returns the name, or fails with a usage error that suggests others."""
        try:
            check_name(value)
        except UnknownModelError as error:
            self.fail(f"{error}", param, ctx)
        return value


class Command(click.Command):
    """A command with help in sections, and with an exit code for what goes wrong.

    Exit codes: 0 done, 1 the model cannot be used, 2 used wrongly, 130 Ctrl-C.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remembers whether ``--`` was there: what follows is text, never a command."""
        ctx.meta["literal"] = "--" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> None:
        """Runs the command; expected errors become one sentence."""
        try:
            super().invoke(ctx)
        except CheckpointError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise  # whoever read the text has enough of it: click ends without a word
        except OSError as error:  # such as a full disk behind stdout
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            ctx.exit(130)  # 128 + SIGINT, as shells have it

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter):
        """Writes the options section by section."""
        for title, names in HELP_SECTIONS.items():
            shown = [p for p in self.get_params(ctx) if p.name in names]
            if records := [p.get_help_record(ctx) for p in shown]:
                with formatter.section(title):
                    formatter.write_dl(records)


def with_options(*options: Callable) -> Callable:
    """Adds options to a command, in this order."""

    def decorate(function: Callable) -> Callable:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


MODEL_NAME = click.option(
    "--model",
    type=ModelName(),
    default="tiny-stories",
    show_default=True,
    help="tiny-stories (embedded), gpt2, gpt2-medium, gpt2-large, gpt2-xl "
    "(downloaded once), or a folder in Hugging Face's format.",
)
MODEL = with_options(
    MODEL_NAME,
    click.option(
        "--mine",
        is_flag=True,
        help="Run the model you built in steps/; it has no cache.",
    ),
    click.option(
        "--no-cache",
        "cache",
        flag_value=False,
        default=True,
        help="Recompute the whole text for every token, to compare.",
    ),
)
CHOICE = with_options(
    click.option(
        "--temperature",
        metavar="T",
        type=FiniteRange(min=0),
        default=0.7,
        show_default=True,
        help="Above 1 is bolder, below 1 more careful; 0 is greedy.",
    ),
    click.option(
        "--greedy",
        "temperature",
        flag_value=0.0,
        help="Always take the likeliest token: --temperature 0.",
    ),
    click.option(
        "--top-k",
        metavar="K",
        type=click.IntRange(min=0),
        default=0,
        show_default="all",
        help="Draw only from the K likeliest tokens.",
    ),
    click.option(
        "--top-p",
        metavar="P",
        type=FiniteRange(min=0, min_open=True, max=1),
        default=0.9,
        show_default=True,
        help="Draw only from the likeliest tokens that reach P together.",
    ),
    click.option(
        "--min-p",
        metavar="P",
        type=FiniteRange(min=0, max=1),
        default=0.0,
        show_default="none",
        help="Drop tokens less likely than P times the likeliest.",
    ),
    click.option(
        "--repetition-penalty",
        metavar="R",
        type=FiniteRange(min=0, min_open=True),
        default=1.0,
        show_default="1, off",
        help="Above 1 avoids tokens that the text already has.",
    ),
    click.option(
        "--seed",
        metavar="S",
        type=click.IntRange(min=0),
        show_default="a new one, shown at the end",
        help="Draw the same text again.",
    ),
)

"""The base of every command: help in sections, exit codes, types of values."""

import math
import os
import signal
from collections.abc import Callable

import click
from click.core import ParameterSource

from gpt2.checkpoint.context import ContextError
from gpt2.checkpoint.drafts import check_draft
from gpt2.checkpoint.errors import CheckpointError, UnknownModelError
from gpt2.checkpoint.loading import check_name
from gpt2.checkpoint.second_model import check_second
from gpt2.decoding.automata import PatternError
from gpt2.decoding.errors import NoNumbersError
from gpt2.decoding.settings import CONTRAST, SECTIONS
from gpt2.engine.precision import PrecisionError
from runtime.background import compile_in_background

HELP_SECTIONS = {
    "Model": (
        "model",
        "mine",
        "strict",
        "steps_dir",
        "compiled",
        "cache",
        "device",
        "precision",
    ),
    "Text": ("text", "prompt_file", "max_new_tokens", "num_samples"),
    **{
        title: [*(["amateur"] if own == CONTRAST else []), *(s.name for s in own)]
        for title, own in SECTIONS.items()
    },
    "Speculative decoding": ("draft", "draft_tokens"),
    "Serving": (
        "host",
        "port",
        "replicas",
        "cores",
        "batch",
        "queue",
        "api_key",
        "address",
    ),
    "Output": ("show_steps", "json_object", "folder", "opens", "save"),
}


# Options that mean nothing without another one, where the command has that one.
NEEDS = {
    **dict.fromkeys(("strict", "steps_dir", "compiled"), "mine"),
    "length_penalty": "num_beams",
    "draft_tokens": "draft",
    **dict.fromkeys((setting.name for setting in CONTRAST), "amateur"),
}


class FiniteRange(click.FloatRange):
    """A finite number in a range; ``FloatRange`` would accept NaN."""

    def convert(self, value, param, ctx):
        """Returns the number; a usage error if it is not finite or not in the range."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


class Words(click.ParamType):
    """A text of valid characters, of a limited length."""

    name = "text"

    def __init__(self, most: int) -> None:
        self._most = most

    def convert(self, value, param, ctx):
        """Returns the text; a usage error if it is too long or not UTF-8."""
        if len(value) > self._most:
            self.fail(f"it has more than {self._most} characters.", param, ctx)
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail("it is not UTF-8 text.", param, ctx)
        return value


class ModelName(click.ParamType):
    """The name of a model, or a folder."""

    name = "name|folder"
    check: Callable[[str], None] = staticmethod(check_name)

    def convert(self, value, param, ctx):
        """Returns the name; for an unknown name, a usage error suggests others."""
        try:
            self.check(value)
        except UnknownModelError as error:
            self.fail(f"{error}", param, ctx)
        return value


class DraftName(ModelName):
    """The name of a draft: a model, or one of the drafts that need none."""

    check: Callable[[str], None] = staticmethod(check_draft)


class AmateurName(ModelName):
    """The name of an amateur: a model, or first layers of the one that writes."""

    check: Callable[[str], None] = staticmethod(check_second)


class Command(click.Command):
    """A command with help in sections and with one exit code for each kind of error.

    Exit codes: 0 success, 1 unusable model, 2 wrong usage, 130 Ctrl-C.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Records whether ``--`` was given: arguments after it are text."""
        ctx.meta["literal"] = "--" in args
        try:
            rest = super().parse_args(ctx, args)
            refuse_alone(ctx)
            return rest
        except click.NoSuchOption as error:
            if error.possibilities:  # options with similar names
                raise
            message = f"{error.message} A text that begins with a dash goes after --."
            raise click.NoSuchOption(error.option_name, message, ctx=ctx) from None

    def invoke(self, ctx: click.Context) -> None:
        """Runs the command, and prints expected errors as one sentence."""
        ctx.call_on_close(compile_in_background)  # for the steps, which come next
        try:
            super().invoke(ctx)
        except ContextError as error:
            raise click.UsageError(f"{error}.") from error
        except PatternError as error:
            raise click.UsageError(f"--matching: {error}.") from error
        except (CheckpointError, NoNumbersError, PrecisionError) as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise  # the reader has closed the pipe: click ends silently
        except OSError as error:  # for example, stdout on a full disk
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt as stopped:
            click.echo(err=True, nl=os.isatty(2))  # after the terminal's ^C
            number = stopped.args[0] if stopped.args else signal.SIGINT
            ctx.exit(128 + number)  # as in shells

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter):
        """Writes the options section by section."""
        for title, names in HELP_SECTIONS.items():
            shown = [p for p in self.get_params(ctx) if p.name in names]
            if records := list(filter(None, (p.get_help_record(ctx) for p in shown))):
                with formatter.section(title):
                    formatter.write_dl(records)


def refuse_alone(ctx: click.Context) -> None:
    """Raises a usage error for an option that needs another one, which is missing."""
    shown = {param.name: param for param in ctx.command.params}
    for name, needed in NEEDS.items():
        given = ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE
        if given and not ctx.params.get(needed, True):
            value = f" {shown[needed].metavar}" if shown[needed].metavar else ""
            option, other = shown[name].opts[0], shown[needed].opts[0]
            raise click.UsageError(f"{option} needs {other}{value}.", ctx)

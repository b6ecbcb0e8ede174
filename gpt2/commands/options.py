"""The options of the commands."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from gpt2.commands.command import (
    AmateurName,
    DraftName,
    FiniteRange,
    ModelName,
    Words,
)
from gpt2.decoding import settings
from gpt2.decoding.settings import Setting
from gpt2.engine.precision import PRECISIONS


def with_options(*options: Callable) -> Callable:
    """Adds options to a command, in this order."""

    def decorate(function: Callable) -> Callable:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def gathered(name: str, options: Callable) -> Callable:
    """Adds options to a command, which gets their values in one dictionary."""
    names = [param.name for param in click.command()(options(lambda: None)).params]

    def decorate(function: Callable) -> Callable:
        @wraps(function)
        def command(*args: Any, **given: Any) -> Any:
            values = {each: given.pop(each) for each in names}
            return function(*args, **{name: values}, **given)

        return options(command)

    return decorate


MODEL_NAME = click.option(
    "--model",
    type=ModelName(),
    default="tiny-stories",
    show_default=True,
    help="tiny-stories or tiny-llama (embedded), gpt2, gpt2-medium, gpt2-large, "
    "gpt2-xl (downloaded once), or a folder in Hugging Face's format.",
)
OWN_FILES = with_options(
    click.option(
        "--strict",
        is_flag=True,
        help="Borrow nothing: every step must be yours, right or wrong.",
    ),
    click.option(
        "--steps-dir",
        metavar="FOLDER",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Your files are in this folder, not in steps/.",
    ),
)
WEIGHTS = click.option(
    "--weights",
    "precision",
    type=click.Choice(PRECISIONS),
    default="float32",
    show_default=True,
    help="How the matrices are kept: bfloat16 and int8 need less memory and time, and "
    "write slightly worse texts.",
)
ENGINE = with_options(
    click.option(
        "--mine",
        is_flag=True,
        help="Run your own code; steps that do not pass yet come from the solutions.",
    ),
    OWN_FILES,
    click.option(
        "--compile",
        "compiled",
        is_flag=True,
        help="With --mine: compile your model for speed, which takes minutes.",
    ),
    click.option(
        "--no-cache",
        "cache",
        flag_value=False,
        default=True,
        help="Recompute the whole text for every token, to compare.",
    ),
    click.option(
        "--device",
        type=click.Choice(["cpu", "gpu"]),
        default="cpu",
        show_default=True,
        help="gpu: an accelerator that MAX supports.",
    ),
    WEIGHTS,
)
MODEL = with_options(MODEL_NAME, gathered("engine", ENGINE))


def option_of(setting: Setting, **details: Any) -> Callable:
    """Returns a setting's option; ``details`` add or replace click's arguments."""
    default = setting.default if setting.in_commands is None else setting.in_commands
    told: dict[str, Any] = {
        "metavar": setting.metavar,
        "type": range_of(setting),
        "default": default,
    }
    told |= {"show_default": setting.shown or default is not None, "help": setting.help}
    return click.option(setting.flag, setting.name, **told | details)


def range_of(setting: Setting) -> click.ParamType:
    """Returns the click type for the values of a setting."""
    if setting.kind is str:
        return Words(setting.most)
    if setting.kind is int:
        return click.IntRange(setting.least, setting.most)
    if setting.above is not None:
        return FiniteRange(setting.above, setting.most, min_open=True)
    return FiniteRange(setting.least, setting.most)


GREEDY = click.option(
    "--greedy",
    "temperature",
    flag_value=0.0,
    help="Always take the likeliest token: --temperature 0.",
)
SEED = option_of(settings.SEED)
TEMPERATURE, *FILTERS = map(option_of, settings.SAMPLING)
CHOICE = with_options(TEMPERATURE, GREEDY, *FILTERS, SEED)
# Without defaults, so that the command can see which options were given.
BEAMS = with_options(*(option_of(s, default=None) for s in settings.BEAM_SEARCH))
AMATEUR = with_options(
    click.option(
        "--amateur",
        metavar="layers:N|MODEL",
        type=AmateurName(),
        help="Prefer what the model likes more than this weaker one does: its first N "
        "layers, or another model.",
    ),
    *(option_of(s, default=None) for s in settings.CONTRAST),
)
NUM_SAMPLES = option_of(settings.NUM_SAMPLES)
DRAFT = with_options(
    click.option(
        "--draft",
        metavar="ngram|layers:N|MODEL",
        type=DraftName(),
        help="Guess tokens ahead, so that fewer calls of the model are needed: what "
        "the text repeats, the model's first N layers, or a smaller model.",
    ),
    option_of(settings.DRAFT_TOKENS),
)
MATCHING = option_of(settings.MATCHING)


def max_new_tokens(usual: int, help: str, *, least: int = 1) -> Callable:
    """The option ``--max-new-tokens``, which is None where it is not given."""
    return click.option(
        "--max-new-tokens",
        metavar="N",
        type=click.IntRange(least),
        show_default=f"{usual}, or what fits",
        help=help,
    )


JSON = click.option(
    "--json", "json_object", is_flag=True, help="Print one JSON object."
)

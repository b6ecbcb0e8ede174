"""The options of the commands."""

from collections.abc import Callable

import click

from gpt2.commands.command import FiniteRange, ModelName

MOST_ROWS = 64  # texts at once: each has a cache of its own


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
        help="Run the model you built in steps/, and the encores you have finished.",
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
        help="gpu: an accelerator that MAX supports; there is no cache there.",
    ),
)
SEED = click.option(
    "--seed",
    metavar="S",
    type=click.IntRange(min=0),
    show_default="a new one, shown at the end",
    help="Draw the same text again.",
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
    SEED,
)
BEAMS = with_options(
    click.option(
        "--beams",
        "num_beams",
        metavar="N",
        type=click.IntRange(1, MOST_ROWS),
        help="Follow the N likeliest texts at once; nothing is drawn.",
    ),
    click.option(
        "--length-penalty",
        metavar="L",
        type=FiniteRange(-10, 10),
        show_default="1",
        help="Above 0 favours long texts, below 0 short ones.",
    ),
)
NUM_SAMPLES = click.option(
    "--num-samples",
    metavar="N",
    type=click.IntRange(1, MOST_ROWS),
    default=1,
    show_default=True,
    help="Write N texts in one batch, each to its own end.",
)
JSON = click.option(
    "--json", "json_object", is_flag=True, help="Print one JSON object."
)

"""Numbers of the chapter on training, from the recording that its page shows."""

from itertools import pairwise
from math import exp, log
from typing import Any

from book import play
from book.figures._parameters import parameters
from book.figures._text import decimal, percent
from book.figures._words import published, quoted, rough
from book.lab.training import SEED, TEMPERATURE, TOKENS, read_recording

WINDOWS = 24  # BATCH in checkpoints/training/loop.py
SHOWN, BEGINNING = 200, 60  # characters of a story in the text, in the table
OPERATIONS = 6  # for each weight and token (Kaplan et al. 2020, section 2.1)


def numbers() -> dict[str, str | list]:
    config, recording = play.checkpoint().config, read_recording()
    moments, vocabulary = recording["moments"], config.vocab_size
    first, last = moments[0], moments[-1]
    weights = parameters(config)
    per_step = WINDOWS * config.n_positions
    tokens = last["step"] * per_step
    return {
        "prompt": recording["prompt"],
        "first_story": shortened(first["story"], SHOWN),
        "last_story": shortened(last["story"], SHOWN),
        "steps": f"{last['step']:,}",
        "vocabulary": f"{vocabulary:,}",
        "guess": decimal(log(vocabulary)),
        "first_loss": decimal(first["validation"]),
        "last_loss": decimal(last["validation"]),
        "first_perplexity": rough(exp(first["validation"])),
        "last_perplexity": rough(exp(last["validation"])),
        "first_bits": decimal(first["bits_per_byte"]),
        "last_bits": decimal(last["bits_per_byte"]),
        "parameters": f"{weights:,}",
        "windows": str(WINDOWS),
        "context": str(config.n_positions),
        "tokens_per_step": f"{per_step:,}",
        "tokens": f"{tokens / 1e6:.0f} million",
        "operations": power_of_ten(OPERATIONS * weights * tokens),
        "minutes": f"{last['seconds'] / 60:.0f}",
        "gpt2_ratio": f"{parameters(published('gpt2')) / weights:.0f}",
        "count": str(len(moments)),
        "temperature": str(TEMPERATURE),
        "half": half_way(moments),
        "command": command(recording["prompt"]),
        "moments": moment_rows(moments),
    }


def command(prompt: str) -> str:
    """A block of code with the command that writes the last story."""
    options = f"--temperature {TEMPERATURE} --top-p 1 --seed {SEED}"
    line = f'pixi run gpt2 "{prompt}" {options} --max-new-tokens {TOKENS}'
    return f"```sh\n{line}\n```"


def shortened(story: str, size: int) -> str:
    """The beginning of a story, in whole words."""
    if len(story) <= size:
        return quoted(story)
    return quoted(story[:size].rpartition(" ")[0]) + " …"


def power_of_ten(number: float) -> str:
    """A large number in scientific notation, as a formula."""
    digits, power = f"{number:.0e}".split("e")
    return f"${digits} \\times 10^{{{int(power)}}}$"


def half_way(moments: list[dict[str, Any]]) -> str:
    """The share of the steps after which the held-out loss has half fallen.

    Between two moments, the loss is taken to fall in a straight line.
    """
    first, last = moments[0], moments[-1]
    middle = (first["validation"] + last["validation"]) / 2
    for a, b in pairwise(moments):
        if b["validation"] <= middle:
            way = (a["validation"] - middle) / (a["validation"] - b["validation"])
            step = a["step"] + way * (b["step"] - a["step"])
            return percent(step / last["step"], digits=1)
    raise ValueError("the loss never falls to the middle")


def moment_rows(moments: list[dict[str, Any]]) -> list[list[str]]:
    """A table of the moments."""
    head = ["step", "training loss", "held-out loss", "bits per byte", "the story"]
    return [head, *(moment_row(moment) for moment in moments)]


def moment_row(moment: dict[str, Any]) -> list[str]:
    """A moment's losses, and the beginning of its story."""
    training = decimal(moment["loss"]) if "loss" in moment else "–"
    losses = (decimal(moment[name]) for name in ("validation", "bits_per_byte"))
    story = shortened(moment["story"], BEGINNING)
    return [f"{moment['step']:,}", training, *losses, story]

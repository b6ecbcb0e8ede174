"""The settings of decoding: each is declared here, and nowhere else.

The commands' options and help, the API's fields, ``Strategy``, ``Beams`` and
``gpt2 compare`` are made of these declarations. So a new filter takes two edits: a
field of ``SamplingSettings``, and its work in the sampling encore's
``next_token_probabilities``.
"""

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

MOST_ROWS = 64  # texts at once: each has a cache of its own


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: in Python, in JSON and in the API.
        kind: int or float.
        default: the API's and Python's, which is OpenAI's where OpenAI has one; None
            where there is none.
        help: one sentence for the command's help.
        metavar: what stands for the value there.
        least, above, most: the range, with ``least`` in it and ``above`` not.
        in_commands: the default of the commands, where theirs is another on purpose.
        shown: the words for that default in the help, where the number says too little.
        option: the option's name, where it is not made of ``name``.
        tried: usual values. ``gpt2 compare`` shows them, and a learner's encore and the
            tests are tried with them.
        penalty: whether it may change which token is the likeliest. Filters only remove
            other tokens, so greedy choice does without them.
    """

    name: str
    kind: Any  # int or float
    default: Any  # like all numbers below: of this kind, or None
    help: str
    metavar: str
    least: Any = None
    above: Any = None
    most: Any = None
    in_commands: Any = None
    shown: str | None = None
    option: str | None = None
    tried: tuple[Any, ...] = ()
    penalty: bool = False

    @property
    def flag(self) -> str:
        """The option, such as ``--top-k``."""
        return self.option or f"--{self.name.replace('_', '-')}"


def declare(default: float | None, help: str, metavar: str, **details: Any) -> Any:
    """A field of a class of settings; the arguments are those of ``Setting``."""
    metadata = {"help": help, "metavar": metavar, **details}
    return field(default=MISSING if default is None else default, metadata=metadata)


def settings_of(owner: type) -> tuple[Setting, ...]:
    """The settings that a class declares, in their order."""
    return tuple(
        Setting(own.name, own.type, default_of(own), **own.metadata)
        for own in fields(owner)
    )


def default_of(own: Field) -> float | None:
    """A field's default, or None."""
    return None if own.default is MISSING else own.default


@dataclass(frozen=True, kw_only=True)
class SamplingSettings:
    """How the next token is drawn, in the order of the filters but for the penalty."""

    temperature: float = declare(
        1.0,
        "Above 1 is bolder, below 1 more careful; 0 is greedy.",
        "T",
        least=0,
        in_commands=0.7,
        tried=(0.7, 1.0, 1.3),
    )
    top_k: int = declare(
        0,
        "Draw only from the K likeliest tokens.",
        "K",
        least=0,
        shown="all",
        tried=(40,),
    )
    top_p: float = declare(
        1.0,
        "Draw only from the likeliest tokens that reach P together.",
        "P",
        above=0,
        most=1,
        in_commands=0.9,
        tried=(0.9,),
    )
    min_p: float = declare(
        0.0,
        "Drop tokens less likely than P times the likeliest.",
        "P",
        least=0,
        most=1,
        shown="none",
        tried=(0.1,),
    )
    repetition_penalty: float = declare(
        1.0,
        "Above 1 avoids tokens that the text already has.",
        "R",
        above=0,
        shown="1, off",
        tried=(1.3,),
        penalty=True,
    )


@dataclass(frozen=True)
class BeamSettings:
    """How the likeliest text is searched for."""

    num_beams: int = declare(
        None,
        "Follow the N likeliest texts at once; nothing is drawn.",
        "N",
        least=1,
        most=MOST_ROWS,
        option="--beams",
    )
    length_penalty: float = declare(
        1.0,
        "Above 0 favours long texts, below 0 short ones.",
        "L",
        least=-10,
        most=10,
        shown="1",
    )


SAMPLING, BEAM_SEARCH = settings_of(SamplingSettings), settings_of(BeamSettings)
SEED = Setting(
    "seed",
    int,
    None,
    "Draw the same text again.",
    "S",
    least=0,
    shown="a new one, shown at the end",
)
NUM_SAMPLES = Setting(
    "num_samples",
    int,
    1,
    "Write N texts in one batch, each to its own end.",
    "N",
    least=1,
    most=MOST_ROWS,
)
# The sections of the help in which the options stand.
SECTIONS = {
    "Choosing the next token": (*SAMPLING, SEED),
    "Searching for the likeliest text": BEAM_SEARCH,
}

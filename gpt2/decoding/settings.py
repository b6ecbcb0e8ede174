"""The settings of decoding. Every setting is declared only here.

The commands' options and help, the API's fields, ``Strategy``, ``Beams`` and
``gpt2 compare`` are made from these declarations. So a new filter takes two edits: a
field in ``SamplingSettings``, and the filter itself in the sampling encore's
``next_token_probabilities``.
"""

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

MOST_ROWS = 64  # texts in one batch; each needs a cache


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: the name in Python, in JSON and in the API.
        kind: int, float or str.
        default: the default in Python and in the API, equal to OpenAI's if OpenAI has
            one; None without a default.
        help: one sentence for the command's help.
        metavar: the placeholder for the value in the help.
        least, above, most: the range; it includes ``least`` and excludes ``above``.
            For a text, ``most`` is the number of characters.
        in_commands: the default of the commands, if it differs from ``default``.
        shown: the default's text in the help, if the number alone is unclear.
        option: the option's name, if it is not made from ``name``.
        tried: usual values, used by ``gpt2 compare``, by the tests and to try a
            learner's encore.
        penalty: whether the setting can change which token is the likeliest. Filters
            only remove other tokens, so greedy choice ignores them.
    """

    name: str
    kind: Any  # int, float or str
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
        """The option's name, such as ``--top-k``."""
        return self.option or f"--{self.name.replace('_', '-')}"


def declare(default: float | None, help: str, metavar: str, **details: Any) -> Any:
    """Returns a dataclass field with a setting; ``Setting`` lists the arguments."""
    metadata = {"help": help, "metavar": metavar, **details}
    return field(default=MISSING if default is None else default, metadata=metadata)


def settings_of(owner: type) -> tuple[Setting, ...]:
    """Returns the settings that a class declares, in order."""
    return tuple(
        Setting(own.name, own.type, default_of(own), **own.metadata)
        for own in fields(owner)
    )


def default_of(own: Field) -> float | None:
    """Returns a field's default, or None."""
    return None if own.default is MISSING else own.default


@dataclass(frozen=True, kw_only=True)
class SamplingSettings:
    """How the next token is drawn.

    The filters are listed in their order; the repetition penalty comes before them.
    """

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
        least=0.001,  # a factor near 0 or infinity makes scores that are no numbers
        most=1000,
        shown="1, off",
        tried=(1.3,),
        penalty=True,
    )


@dataclass(frozen=True)
class BeamSettings:
    """The settings of beam search, which looks for the likeliest text."""

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


@dataclass(frozen=True, kw_only=True)
class ContrastSettings:
    """How contrastive decoding subtracts an amateur's logits."""

    alpha: float = declare(
        0.1,
        "Choose only tokens with A times the likeliest one's probability or more.",
        "A",
        above=0,
        most=1,
        shown="0.1",
        option="--amateur-alpha",
    )
    beta: float = declare(
        0.5,
        "How strongly the amateur counts; 0 is not at all.",
        "B",
        least=0,
        most=1000,
        shown="0.5",
        option="--amateur-beta",
    )


CONTRAST = settings_of(ContrastSettings)
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
DRAFT_TOKENS = Setting(
    "draft_tokens",
    int,
    4,
    "Let the draft guess up to N tokens for each call of the model.",
    "N",
    least=1,
    most=64,
)
MATCHING = Setting(
    "matching",
    str,
    None,
    "Write only what can become a text of this regular expression.",
    "PATTERN",
    most=1000,
)
# The options in each section of the help.
SECTIONS = {
    "Choosing the next token": (*SAMPLING, SEED, MATCHING),
    "Searching for the likeliest text": BEAM_SEARCH,
    "Choosing against a weaker model": CONTRAST,
}

"""Formats numbers and tokens for the book's text and tables."""

from dataclasses import replace

from book.figures import style
from solutions.solution_01 import GPT2Config

SIZES = {  # the models that OpenAI published: channels, blocks, heads
    "gpt2": (768, 12, 12),
    "gpt2-medium": (1024, 24, 16),
    "gpt2-large": (1280, 36, 20),
    "gpt2-xl": (1600, 48, 25),
}


def published(name: str) -> GPT2Config:
    """The sizes of a GPT-2 that OpenAI published."""
    channels, layers, heads = SIZES[name]
    return replace(
        GPT2Config(),
        n_embd=channels,
        n_layer=layers,
        n_head=heads,
        n_inner=4 * channels,
    )


def percent(share: float) -> str:
    """A share between 0 and 1 as a whole percentage; "< 1 %" for less than 1 %."""
    return "< 1 %" if 0 < share < 0.01 else f"{share:.0%}".replace("%", " %")


def code(token: str) -> str:
    """A token as Markdown code, with visible blanks and line ends."""
    return f"`{style.token(token)}`"


def quoted(text: str) -> str:
    """A model's text on one line, with ↵ between paragraphs.

    A character without a sign becomes �.
    """
    signs = "".join(c if c.isprintable() or c.isspace() else "�" for c in text)
    paragraphs = [" ".join(part.split()) for part in signs.split("\n")]
    joined = " ↵ ".join(part for part in paragraphs if part)
    return joined.translate({ord(c): f"\\{c}" for c in "*_<>|`$"})


def signed(value: float, digits: int = 2) -> str:
    """A number with a real minus sign."""
    return f"{value:z.{digits}f}".replace("-", "−")


def rough(value: float) -> str:
    """A number with few digits; very large ones become "over a million"."""
    if value >= 1e6:
        return "over a million"
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"

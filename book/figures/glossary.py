"""Numbers of the glossary: the sizes behind the shape letters in two models."""

from book import held_out, play
from book.figures._losses import perplexity
from solutions.solution_01 import GPT2Config

LETTERS = {
    "C": ("channels: the numbers that describe one token", "n_embd"),
    "H": ("heads: attentions side by side", "n_head"),
    "D": ("head size: C / H channels", None),
    "V": ("vocabulary: how many different tokens there are", "vocab_size"),
    "L": ("layers: blocks on top of each other", "n_layer"),
    "P": ("positions: the longest text, in tokens", "n_positions"),
    "I": ("inner width of the feed-forward network", "n_inner"),
}


def numbers() -> dict[str, str | list]:
    models = play.checkpoint().config, GPT2Config()
    rows = [["", "stands for", "embedded", "GPT-2"]]
    for letter, (meaning, field) in LETTERS.items():
        rows.append([letter, meaning, *(size(config, field) for config in models)])
    return {
        "letters": rows,
        "stories": str(len(held_out.stories())),
        "loss": f"{held_out.trained():.2f}",
        "perplexity": perplexity(held_out.trained()),
        "bits": f"{held_out.bits_per_byte():.2f}",
        "errors": str(held_out.ERRORS),
        "visible": str(held_out.VISIBLE),
    }


def size(config: GPT2Config, field: str | None) -> str:
    """A field of the configuration, or else the head size."""
    value = getattr(config, field) if field else config.n_embd // config.n_head
    return f"{value:,}"

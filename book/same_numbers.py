"""Why some mistakes change no number of the embedded model.

``book.mistake_losses`` checks that these mistakes, and no others, change nothing.
"""

from collections.abc import Iterator

# Reasons, and the mistakes of each step for which they hold.
REASONS: dict[str, dict[str, list[str]]] = {
    "the model's ε is this one, 10⁻⁵": {
        "s03": ["epsilon fixed"],
        "s11": [
            "default epsilon",
            "default epsilon in ln_1",
            "default epsilon in ln_2",
        ],
        "s12": ["default epsilon"],
    },
    "the model gives every layer its own ε": {
        "s03": [
            "another default for epsilon",
            "a far smaller default for epsilon",
        ],
    },
    "the checkpoint's weights replace the first ones": {
        "s03": ["weight starts at zero"],
        "s05": ["a table of random numbers"],
        "s06": ["sines and cosines"],
    },
    "the inner width is 4 C in this model": {
        "s04": ["width from the configuration", "four times the channels"],
        "s11": ["width of 4 C"],
    },
    "the mistake shows only while a model is compiled": {
        "s05": ["looked up with NumPy"],
        "s06": ["looked up with NumPy"],
        "s08": ["length as a number"],
        "s09": ["sizes as numbers"],
        "s12": ["length as a number"],
    },
    "the model asks for the first rows, in order": {
        "s06": ["always the first rows", "counted from the first position"],
    },
    "the sum with the tokens has the axis of the batch anyway": {
        "s06": ["axis for the batch"],
    },
    "this model has more tokens than places": {"s06": ["clipped to the vocabulary"]},
    "no number of this model is large enough": {
        "s03": ["squares before the mean is taken off"],
        "s08": ["mask of -1e9", "overflowing softmax"],
    },
    "there is one model, and its weights are loaded once": {
        "s09": ["the number of heads kept in the class"],
        "s11": ["a result kept on self"],
        "s12": ["place rows kept"],
        "s13": ["copied when built"],
    },
    "norm and sublayer are modules in this model": {"s10": ["forward by name"]},
    "softmax gives the same for log-probabilities": {
        "s13": ["log-softmax in the head"]
    },
}


def reasons(key: str) -> dict[str, str]:
    """The mistakes of a step that change nothing, each with the reason."""
    return dict(named(key))


def named(key: str) -> Iterator[tuple[str, str]]:
    for reason, steps in REASONS.items():
        for name in steps.get(key, ()):
            yield name, reason

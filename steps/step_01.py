"""Step 01: the configuration, seven numbers that fix the shape of a GPT-2.

Every later step asks the same questions: how many tokens are there, how many numbers
describe one of them, how many layers follow each other? The answers belong in one
small object that everybody shares. These are its fields, in this order, with the
values of the smallest GPT-2 (124 million parameters) as defaults:

    vocab_size          50257    V: how many different tokens there are
    n_positions         1024     the longest text the model can see, in tokens
    n_embd              768      C: channels, the numbers that describe one token
    n_layer             12       blocks on top of each other
    n_head              12       H: attention heads in each block
    n_inner             3072     width of the feed-forward network's hidden layer
    layer_norm_epsilon  0.00001  keeps layer normalization from dividing by 0

The letters return in every shape: V, C, H, then D = C / H channels for one head, and
B texts of T tokens each in a batch. ``[B, T, C]`` is C numbers for each of T tokens of
each of B texts; three dots stand for any axes in front.

There are two things to do below: write the fields, and delete ``__init__``. A dataclass
makes an ``__init__`` from its fields only where the class has none of its own, so as
long as the one below stands, no configuration can be made.

The trap: in a dataclass a line is a field only if it states a type. A name with a
value but without a type is shared by all objects and cannot be chosen when one is
made. ``frozen=True`` is there already: nobody changes a model's size afterwards.

Look up: ``dataclasses.dataclass`` in Python's documentation.
Check with ``pixi run s01`` or ``uv run s01``. When stuck:
``pixi run course hint 1`` or ``uv run course hint 1``.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class GPT2Config:
    """The sizes of a GPT-2; the defaults are those of the 124M-parameter model.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask
    Learners", section 2.3, and OpenAI's ``gpt-2/src/model.py`` (``default_hparams``).
    """

    # Write the seven fields here, one per line: name, type, default. Six of them
    # count something; the last is a fraction.

    # When they are there, delete everything from here to the end of the file: the
    # dataclass then makes an __init__ that knows your fields.
    def __init__(self, *values: object, **fields: object) -> None:
        raise NotImplementedError(
            "Write the seven fields, then delete this __init__ and all that is in it."
        )

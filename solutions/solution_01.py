"""Step 01: the configuration, seven numbers that fix the shape of a GPT-2."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GPT2Config:
    """The sizes of a GPT-2; the defaults are those of the 124M-parameter model.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask
    Learners", section 2.3, and OpenAI's ``gpt-2/src/model.py`` (``default_hparams``).
    """

    vocab_size: int = 50257  # V: how many different tokens there are
    n_positions: int = 1024  # the longest text the model can see, in tokens
    n_embd: int = 768  # C: channels, the numbers that describe one token
    n_layer: int = 12  # blocks on top of each other
    n_head: int = 12  # H: attention heads per block; D = C / H channels each
    n_inner: int = 3072  # width of the feed-forward network's hidden layer
    layer_norm_epsilon: float = 1e-5  # keeps layer normalization from dividing by 0

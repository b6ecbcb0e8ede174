"""Encore: the KV cache, so that each token goes through the model only once.

In step 14 the model reads the whole text again for every new token. Most of that work
has been done before: no token sees a later one, so its keys and its values stay what
they were when the text grows. They can be kept. Then only the new tokens go through
the model, and their queries meet the keys of all:

    keys kept   [B, H, P, D]    of P earlier tokens
    keys made   [B, H, T, D]    of T new ones: a prompt at first, then one at a time
    keys used   [B, H, P + T, D]

Values likewise, in every layer. You build it into your own steps: each class here takes
over what its step has and writes ``forward`` anew, so the parameters keep their names.
It is a matter of attention alone; in all other places each token is on its own.

The traps: new token i sits at position P + i, for its embedding as for its mask; every
layer has keys of its own; and a cache is never changed, but a longer one returned, so
that one prompt can be continued in several ways.

Shapes: B batch, T new tokens, P earlier tokens, C channels, H heads, D = C / H, V
vocabulary.

Look up: ``F.concat``, ``Tensor.arange`` (takes a start and a stop), your own steps 08,
09 and 11 to 14.
Check with ``pixi run kv-cache`` or ``uv run kv-cache``.
"""

from math import sqrt

from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import ModuleList
from max.experimental.tensor import Tensor

from steps.step_01 import GPT2Config
from steps.step_02 import causal_mask
from steps.step_09 import GPT2MultiHeadAttention
from steps.step_10 import pre_norm_residual
from steps.step_11 import GPT2Block
from steps.step_13 import MaxGPT2LMHeadModel

type KeyValue = tuple[Tensor, Tensor]  # one layer's memory, [B, H, P, D] each


def attend_with_context(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Step 08 where earlier tokens have a key and a value, but no query any more.

    Args:
        query: ``[..., T, D]``, of the new tokens.
        key: ``[..., P + T, D]``, of the earlier tokens and of the new ones.
        value: ``[..., P + T, D]``, likewise.

    Returns:
        ``[..., T, D]``. New token i's result depends on tokens 0 to P + i alone.

    Source: Vaswani et al. 2017, section 3.2.1, equation 1.
    """
    # P is what key has more than query, along the tokens. The mask of step 02 wants it
    # as an int; T may be a symbol, so take the difference first and then int(...).

    # Scores, scaled: [..., T, D] and [..., D, P + T] -> [..., T, P + T]

    # Hide the future with step 02's mask of that shape, and turn each row into shares.

    # Average the values by them: [..., T, P + T] and [..., P + T, D] -> [..., T, D]

    raise NotImplementedError(
        "Return the values' averages, as in step 08, with P earlier tokens in front."
    )


class CachedAttention(GPT2MultiHeadAttention):
    """Step 09 with a memory: earlier tokens' keys and values are kept, not remade.

    Source: Shazeer 2019, "Fast Transformer Decoding", section 2.4.
    """

    def forward(
        self, x: Tensor, past: KeyValue | None = None
    ) -> tuple[Tensor, KeyValue]:
        """Lets each new token gather from all tokens up to itself.

        Args:
            x: ``[B, T, C]``, the new tokens.
            past: the earlier tokens' key and value, ``[B, H, P, D]`` each; None
                where there are none. It is left as it was.

        Returns:
            ``[B, T, C]``, and key and value of all tokens, ``[B, H, P + T, D]`` each.
        """
        # The new tokens' query, key and value, split into heads: three of [B, H, T, D].
        # What you wrote in step 09 is here, under self.

        # If there is a past, its key and value come in front: -> [B, H, P + T, D].
        # A new tensor each time; the past itself stays as it is.

        # Attend, merge the heads, mix: -> [B, T, C]

        # Two things go back: that result, and the pair of longer key and value.

        raise NotImplementedError(
            "Return what the new tokens gathered, and the key and value of all tokens."
        )


class CachedBlock(GPT2Block):
    """Step 11 around that attention.

    Args:
        config: the model's sizes.
    """

    attn: CachedAttention

    def __init__(self, config: GPT2Config) -> None:
        # Everything that step 11 makes, and then this file's attention in the place of
        # the other one.

        raise NotImplementedError(
            "Create what step 11 has, with CachedAttention as attn."
        )

    def forward(
        self, x: Tensor, past: KeyValue | None = None
    ) -> tuple[Tensor, KeyValue]:
        """Runs one layer for the new tokens: ``[B, T, C]`` to the same.

        Takes and returns the layer's memory as ``CachedAttention`` does.
        """
        # Attention first. It returns two things now, so step 10 cannot add its result
        # for you: normalize, attend with the past, and add to x yourself.

        # The second half is as it was. Return it together with the longer memory.

        raise NotImplementedError(
            "Return the block's result for the new tokens, and its longer memory."
        )


class CachedGPT2LMHeadModel(MaxGPT2LMHeadModel):
    """Steps 12 and 13 for new tokens alone; the parameters are the same as there.

    Args:
        config: the model's sizes.
    """

    def __init__(self, config: GPT2Config) -> None:
        # Everything that step 13 makes, and then blocks of this file in its body, each
        # made anew, in the place of the others.

        raise NotImplementedError(
            "Create what step 13 has, with a CachedBlock for every layer."
        )

    def forward(
        self, input_ids: Tensor, cache: list[KeyValue] | None = None
    ) -> tuple[Tensor, list[KeyValue]]:
        """Rates what may follow each new token.

        Args:
            input_ids: ``[B, T]``, the new tokens.
            cache: a key and a value ``[B, H, P, D]`` for every layer, as an earlier
                call returned them; None at the start of a text. It is left as it was.

        Returns:
            Logits ``[B, T, V]``, and the cache with the new tokens in it.
        """
        # P: the size of any of the cache's tensors along the tokens; 0 without a cache.

        # The positions of the new tokens, P to P + T - 1: [T]. As in step 12 they are
        # int64 and on the device of the ids.

        # Both tables: [B, T] -> [B, T, C]

        # Through the blocks in order, each with its own layer's past (or None). Collect
        # what each returns, in a list of your own.

        # Normalize, and compare with the token table: [B, T, C] -> [B, T, V]

        raise NotImplementedError(
            "Return the new tokens' logits, and the cache with these tokens in it."
        )


def generate_with_cache(
    model: CachedGPT2LMHeadModel, input_ids: Tensor, max_new_tokens: int = 10
) -> Tensor:
    """Writes ``max_new_tokens`` tokens, always the likeliest, as step 14 does.

    The model reads the prompt in one call, and then each new token once.

    Args:
        model: turns ids ``[B, T]`` and a cache (None at first) into logits
            ``[B, T, V]`` and the cache with these tokens in it.
        input_ids: ``[B, T]``, the prompt; left as it was.
        max_new_tokens: how many tokens to write.

    Returns:
        Prompt and continuation, ``[B, T + max_new_tokens]``.
    """
    # What the model has not read yet is the whole prompt, and there is no cache.

    # max_new_tokens times: let the model read just that; choose the likeliest token
    # after the last place, [B, 1]; append it to the text. It is what the model has
    # not read yet, next time.

    raise NotImplementedError(
        "Return the prompt with max_new_tokens more ids in every row."
    )

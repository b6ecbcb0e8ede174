"""Encore: the KV cache, so that each token goes through the model only once.

Shapes: B batch, T new tokens, P earlier tokens, C channels, H heads, D = C / H, V
vocabulary.
"""

from math import sqrt

from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import ModuleList
from max.experimental.tensor import Tensor

from solutions.solution_01 import GPT2Config
from solutions.solution_02 import causal_mask
from solutions.solution_09 import GPT2MultiHeadAttention
from solutions.solution_10 import pre_norm_residual
from solutions.solution_11 import GPT2Block
from solutions.solution_13 import MaxGPT2LMHeadModel

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
    length, head_size = query.shape[-2], int(query.shape[-1])
    earlier = int(key.shape[-2] - length)  # P
    scores = query @ key.transpose(-1, -2) / sqrt(head_size)  # [..., T, P + T]
    mask = causal_mask(length, earlier, dtype=scores.dtype, device=scores.device)
    return F.softmax(scores + mask, axis=-1) @ value


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
        query, key, value = (self.split_heads(part) for part in self.qkv(x))
        if past is not None:
            key = F.concat([past[0], key], axis=-2)
            value = F.concat([past[1], value], axis=-2)
        attended = attend_with_context(query, key, value)
        return self.c_proj(self.merge_heads(attended)), (key, value)


class CachedBlock(GPT2Block):
    """Step 11 around that attention.

    Args:
        config: the model's sizes.
    """

    attn: CachedAttention

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.attn = CachedAttention(config)

    def forward(
        self, x: Tensor, past: KeyValue | None = None
    ) -> tuple[Tensor, KeyValue]:
        """Runs one layer for the new tokens: ``[B, T, C]`` to the same.

        Takes and returns the layer's memory as ``CachedAttention`` does.
        """
        attended, present = self.attn(self.ln_1(x), past)
        return pre_norm_residual(x + attended, self.ln_2, self.mlp), present


class CachedGPT2LMHeadModel(MaxGPT2LMHeadModel):
    """Steps 12 and 13 for new tokens alone; the parameters are the same as there.

    Args:
        config: the model's sizes.
    """

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        blocks = [CachedBlock(config) for _ in range(config.n_layer)]
        self.transformer.h = ModuleList(blocks)

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
        body, extended = self.transformer, []
        start = 0 if cache is None else cache[0][0].shape[-2]  # P
        stop = start + input_ids.shape[1]
        positions = Tensor.arange(
            start, stop, dtype=DType.int64, device=input_ids.device
        )
        x = body.wte(input_ids) + body.wpe(positions)  # [B, T, C] + [T, C]
        for layer, block in enumerate(body.h):
            x, present = block(x, None if cache is None else cache[layer])
            extended.append(present)
        return body.ln_f(x) @ body.wte.weight.T, extended


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
    new_ids, cache = input_ids, None
    for _ in range(max_new_tokens):
        logits, cache = model(new_ids, cache)
        new_ids = F.argmax(logits[:, -1, :], axis=-1)  # [B, 1]
        input_ids = F.concat([input_ids, new_ids], axis=1)
    return input_ids

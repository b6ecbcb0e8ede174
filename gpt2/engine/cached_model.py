"""GPT-2 with a key-value cache: the solutions' model, except that it remembers.

Shapes: B batch, T new tokens, P past tokens of the longest text, C channels, H heads,
D = C / H, V vocabulary. The cache holds, for every layer, a key and a value ``[P, B, H,
D]``: positions come first, so that the first P of a longer buffer lie in one piece.
Each text begins at place 0; what lies behind a shorter one is hidden by the mask.

Source: Pope et al. 2022, "Efficiently Scaling Transformer Inference", section 2.1.
"""

from math import sqrt

from max.driver import CPU
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import Linear, ModuleList
from max.experimental.tensor import Tensor
from max.graph import TensorType, TensorValue

from gpt2.engine.projection import Projection, project
from runtime.releases import as_subgraph
from solutions.solution_01 import GPT2Config
from solutions.solution_09 import GPT2MultiHeadAttention
from solutions.solution_10 import pre_norm_residual
from solutions.solution_11 import GPT2Block
from solutions.solution_13 import MaxGPT2LMHeadModel

Layer = tuple[Tensor, Tensor]  # a key and a value
ALL, LAST = slice(None), slice(-1, None)  # tokens whose results are asked for

# With so many places in the cache, of all texts together, a token is faster without
# MAX's kernel: 8 texts of 120 tokens in 5.0 ms instead of 7.2 (tiny-stories on one
# core). With fewer it is not, nor with more numbers than stay near the processor.
LONG, NEAR = 256, 2**19


def attend_with_past(
    query: Tensor, key: Tensor, value: Tensor, past: Layer, mask: Tensor, long: Tensor
) -> Tensor:
    """Lets new tokens gather from the past and from the new tokens before them.

    Args:
        query, key, value: ``[B, T, H, D]``, of the new tokens.
        past: a key and a value ``[P, B, H, D]``, of the tokens before them.
        mask: ``[B, T, P + T]``, 0 where a new token may look, -inf where not.
        long: whether T is 1 and the past is long, but not too long; a truth value.

    Returns:
        ``[B, T, H, D]``.
    """
    query = query * (1 / sqrt(int(query.shape[-1])))
    (attended,) = F.cond(
        long,
        [TensorType(query.dtype, query.shape, query.device)],
        lambda: attend_one(query, key, value, past, mask),
        lambda: attend_many(query, key, value, past, mask),
    )
    return attended


def attend_many(
    query: Tensor, key: Tensor, value: Tensor, past: Layer, mask: Tensor
) -> Tensor:
    """For any T, by MAX's kernel, which reads old and new keys where they lie.

    With tensor operations, joining them would copy the whole cache.
    """
    old = [part.permute([1, 2, 0, 3]).unsqueeze(0) for part in past]  # [1, B, H, P, D]
    scale = Tensor(1.0, dtype=DType.float32, device=CPU())
    (attended,) = F.custom(
        "with_mask_flash_attention_split_kv_cpu",
        query.device,
        [query, key, value, *old, mask, scale],
        [TensorType(query.dtype, query.shape, query.device)],
    )
    return attended


def attend_one(
    query: Tensor, key: Tensor, value: Tensor, past: Layer, mask: Tensor
) -> Tensor:
    """For T = 1: one pass over the old keys, and one over the old values.

    The kernel goes to each text and head by itself, whose numbers lie far apart.
    """
    places, shape = past[0].shape[0], query.shape
    seen = mask[:, 0, (slice(0, TensorValue(places)), places)]  # [B, P]
    query, key, value = (part[:, 0] for part in (query, key, value))  # [B, H, D]
    old = F.sum(past[0] * query, axis=-1).squeeze(-1).permute([1, 2, 0])  # [B, H, P]
    new = F.sum(key * query, axis=-1)  # [B, H, 1]
    scores = F.concat([old + seen.unsqueeze(1), new], axis=-1)
    weights = F.softmax(scores, axis=-1)  # [B, H, P + 1]
    of_old = weights[:, :, :-1].permute([2, 0, 1]).unsqueeze(-1)  # [P, B, H, 1]
    attended = F.sum(of_old * past[1], axis=0).squeeze(0)  # [B, H, D]
    attended += weights[:, :, -1:] * value
    return F.broadcast_to(attended.unsqueeze(1), shape)


class CachedAttention(GPT2MultiHeadAttention):
    """Step 09 with a memory."""

    def forward(
        self, x: Tensor, past: Layer, mask: Tensor, long: Tensor, asked: slice = ALL
    ) -> tuple[Tensor, Layer]:
        """Tokens ``[B, T, C]`` to the same for those asked for, and to all tokens' key
        and value ``[T, B, H, D]``."""
        batch, length, channels = x.shape
        heads = [batch, length, self.n_head, int(channels) // self.n_head]
        query, key, value = (part.reshape(heads) for part in self.qkv(x))
        query, mask = query[:, asked], mask[:, asked]
        attended = attend_with_past(query, key, value, past, mask, long)
        new = key.transpose(0, 1), value.transpose(0, 1)
        return self.c_proj(attended.reshape([batch, query.shape[1], channels])), new


class CachedBlock(GPT2Block):
    """Step 11 around that attention."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.attn = CachedAttention(config)

    def forward(
        self, x: Tensor, past: Layer, mask: Tensor, long: Tensor, asked: slice = ALL
    ) -> tuple[Tensor, Layer]:
        """As ``CachedAttention``."""
        attended, new = self.attn(self.ln_1(x), past, mask, long, asked)
        return pre_norm_residual(x[:, asked] + attended, self.ln_2, self.mlp), new


class CachedGPT2(MaxGPT2LMHeadModel):
    """Steps 12 and 13 for new tokens after a past; its parameters are the same."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        blocks = [CachedBlock(config) for _ in range(config.n_layer)]
        self.transformer.h = ModuleList(blocks)
        for block in blocks[:-1]:
            as_subgraph(block, name="block")  # up to 26.6, to be said before a trace
        for _, layer in self.descendants:
            if isinstance(layer, Linear):
                layer.__class__ = Projection  # other arithmetic, same parameters

    def forward(
        self, input_ids: Tensor, positions: Tensor, mask: Tensor, *cache: Tensor
    ) -> tuple[Tensor, ...]:
        """Scores what comes after the last of the new tokens.

        Args:
            input_ids: ``[B, T]``, the new tokens.
            positions: ``[B, T]``, their places in their texts.
            mask: ``[B, T, P + T]``, 0 where a new token may look, -inf where not.
            *cache: of every layer a key and a value ``[P, B, H, D]``; P may be 0.

        Returns:
            The logits ``[B, V]``, and what the new tokens add to the cache: of
            every layer a key and a value ``[T, B, H, D]``.
        """
        model, new = self.transformer, []  # lists cross no graph's border before 26.7
        x = model.wte(input_ids) + model.wpe(positions)  # [B, T, C]
        batch, length, channels = x.shape
        places = Tensor.from_dim(cache[0].shape[0]) * Tensor.from_dim(batch)
        long = F.logical_and(places >= LONG, places * int(channels) <= NEAR)
        long = F.logical_and(long, F.equal(Tensor.from_dim(length), 1))
        pasts = zip(cache[::2], cache[1::2], strict=True)
        *blocks, (last_block, last_past) = zip(model.h, pasts, strict=True)
        for block, past in blocks:
            # The blocks differ in their weights alone: one is traced for all.
            x, added = as_subgraph(block, name="block")(x, past, mask, long)
            new += added
        # Nobody asks for the other tokens' logits, nor for what leads to them alone.
        x, added = last_block(x, last_past, mask, long, LAST)  # [B, 1, C]
        new += added
        last = model.ln_f(x[:, 0, :])  # [B, C]
        return project(last, model.wte.weight), *new

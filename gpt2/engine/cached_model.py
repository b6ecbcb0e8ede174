"""GPT-2 with a key-value cache, built from the solutions' model.

Shapes: B batch, T new tokens, P past tokens of the longest text, C channels, H heads,
D = C / H, V vocabulary, A asked tokens. Each layer has a key and a value in the cache,
``[P, B, H, D]``. With positions first, the first P of a longer buffer are contiguous.
Each text begins at position 0. The mask hides all positions after a text's end.

Source: Pope et al. 2022, "Efficiently Scaling Transformer Inference", section 2.
"""

from math import sqrt

from max.driver import CPU
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import Linear, ModuleList
from max.experimental.tensor import Tensor
from max.graph import TensorType, TensorValue

from gpt2.engine import accelerated
from gpt2.engine.projection import Projection, project
from runtime.releases import as_subgraph
from solutions.solution_01 import GPT2Config
from solutions.solution_04 import GPT2MLP
from solutions.solution_09 import GPT2MultiHeadAttention
from solutions.solution_10 import pre_norm_residual
from solutions.solution_11 import GPT2Block
from solutions.solution_13 import MaxGPT2LMHeadModel

Layer = tuple[Tensor, Tensor]  # a key and a value

# MAX's kernel is slower for one token if P * B is at least LONG and P * B * C is at
# most NEAR, so that the keys fit in the processor's cache. Measured with tiny-stories
# on one core: 8 texts of 120 tokens take 5.0 ms without the kernel, 7.2 ms with it.
LONG, NEAR = 256, 2**19


def attend_with_past(
    query: Tensor, key: Tensor, value: Tensor, past: Layer, mask: Tensor, long: Tensor
) -> Tensor:
    """Computes attention of new tokens to the past and to earlier new tokens.

    Args:
        query, key, value: ``[B, T, H, D]``, of the new tokens.
        past: a key and a value ``[P, B, H, D]``, of the tokens before them.
        mask: ``[B, T, P + T]``, 0 for a visible position, -inf for a hidden one.
        long: bool scalar, whether T is 1 and the past's size is between LONG and NEAR.

    Returns:
        ``[B, T, H, D]``.
    """
    query = query * (1 / sqrt(int(query.shape[-1])))
    if not query.device.is_host:
        return accelerated.attend(query, key, value, past, mask)
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
    """Computes attention for any T with MAX's kernel.

    The kernel takes old and new keys separately. Concatenating them would copy the
    whole cache.
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
    """Computes attention for T = 1: one pass over old keys, one over old values.

    MAX's kernel takes each text and head separately, whose numbers are far apart in
    memory.
    """
    places, shape = past[0].shape[0], query.shape
    seen = mask[:, 0, (slice(0, TensorValue(places)), places)]  # [B, P]
    query, key, value = (part[:, 0] for part in (query, key, value))  # [B, H, D]
    old = F.sum(past[0] * query, axis=-1).squeeze(-1).permute([1, 2, 0])  # [B, H, P]
    new = F.sum(key * query, axis=-1)  # [B, H, 1]
    scores = F.concat([old + seen.unsqueeze(1), new], axis=-1)
    shares = F.softmax(scores, axis=-1)  # [B, H, P + 1]
    of_old = shares[:, :, :-1].permute([2, 0, 1]).unsqueeze(-1)  # [P, B, H, 1]
    attended = F.sum(of_old * past[1], axis=0).squeeze(0)  # [B, H, D]
    attended += shares[:, :, -1:] * value
    return F.broadcast_to(attended.unsqueeze(1), shape)


def take(x: Tensor, asked: Tensor | None) -> Tensor:
    """Returns the asked tokens of ``[B, T, ...]``: ``[B, A, ...]``; None takes all."""
    return x if asked is None else F.gather(x, asked, axis=1)


class CachedAttention(GPT2MultiHeadAttention):
    """Step 09's attention with a key-value cache."""

    def forward(
        self,
        x: Tensor,
        past: Layer,
        mask: Tensor,
        long: Tensor,
        asked: Tensor | None = None,
    ) -> tuple[Tensor, Layer]:
        """Returns ``[B, A, C]`` for tokens ``[B, T, C]``, and the key and value
        ``[T, B, H, D]`` of all T tokens. Without ``asked``, A is T."""
        batch, length, channels = x.shape
        heads = [batch, length, self.n_head, int(channels) // self.n_head]
        query, key, value = (part.reshape(heads) for part in self.qkv(x))
        query, mask = take(query, asked), take(mask, asked)
        attended = attend_with_past(query, key, value, past, mask, long)
        new = key.transpose(0, 1), value.transpose(0, 1)
        return self.c_proj(attended.reshape([batch, query.shape[1], channels])), new


class MLP(GPT2MLP):
    """Step 04's network with a GELU that is exact on every device."""

    def forward(self, x: Tensor) -> Tensor:
        """Transforms each token on its own: ``[..., C]`` to ``[..., C]``."""
        if x.device.is_host:
            return super().forward(x)
        return self.c_proj(accelerated.gelu(self.c_fc(x)))


class CachedBlock(GPT2Block):
    """Step 11's block with ``CachedAttention``."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.attn = CachedAttention(config)
        self.mlp = MLP(config.n_inner, config)

    def forward(
        self,
        x: Tensor,
        past: Layer,
        mask: Tensor,
        long: Tensor,
        asked: Tensor | None = None,
    ) -> tuple[Tensor, Layer]:
        """Has the same inputs and outputs as ``CachedAttention.forward``."""
        attended, new = self.attn(self.ln_1(x), past, mask, long, asked)
        return pre_norm_residual(take(x, asked) + attended, self.ln_2, self.mlp), new


class CachedGPT2(MaxGPT2LMHeadModel):
    """Steps 12 and 13 with a cache and with the same parameters."""

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
        self,
        input_ids: Tensor,
        positions: Tensor,
        mask: Tensor,
        asked: Tensor,
        *cache: Tensor,
    ) -> tuple[Tensor, ...]:
        """Computes the logits of the tokens that follow the asked ones.

        Args:
            input_ids: ``[B, T]``, the new tokens.
            positions: ``[B, T]``, the new tokens' positions in their texts.
            mask: ``[B, T, P + T]``, 0 for a visible position, -inf for a hidden one.
            asked: ``[A]``, places among the new tokens, the same in every text.
            *cache: a key and a value ``[P, B, H, D]`` for every layer; P may be 0.

        Returns:
            The logits ``[B, A, V]``, and the new tokens' key and value
            ``[T, B, H, D]`` for every layer.
        """
        model, new = self.transformer, []  # before 26.7 a subgraph takes no lists
        x = model.wte(input_ids) + model.wpe(positions)  # [B, T, C]
        batch, length, channels = x.shape
        held = Tensor.from_dim(cache[0].shape[0]) * Tensor.from_dim(batch)
        long = F.logical_and(held >= LONG, held * int(channels) <= NEAR)
        long = F.logical_and(long, F.equal(Tensor.from_dim(length), 1))
        pasts = zip(cache[::2], cache[1::2], strict=True)
        *blocks, (last_block, last_past) = zip(model.h, pasts, strict=True)
        for block, past in blocks:
            # The blocks differ only in their weights, so MAX traces one for all.
            x, added = as_subgraph(block, name="block")(x, past, mask, long)
            new += added
        # The last block skips all tokens whose logits nobody needs.
        x, added = last_block(x, last_past, mask, long, asked)  # [B, A, C]
        new += added
        places = asked.shape[0]
        rows = model.ln_f(x).reshape([batch * places, channels])
        logits = project(rows, model.wte.weight)
        return logits.reshape([batch, places, logits.shape[1]]), *new

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
from max.experimental.compilation import as_subgraph
from max.experimental.nn import Linear, ModuleList
from max.experimental.tensor import Tensor
from max.graph import TensorType

from gpt2.projection import Projection, project
from solutions.solution_01 import GPT2Config
from solutions.solution_09 import GPT2MultiHeadAttention
from solutions.solution_10 import pre_norm_residual
from solutions.solution_11 import GPT2Block
from solutions.solution_13 import MaxGPT2LMHeadModel

Layer = tuple[Tensor, Tensor]  # a key and a value


def attend_with_past(
    query: Tensor, key: Tensor, value: Tensor, past: Layer, mask: Tensor
) -> Tensor:
    """Lets new tokens gather from the past and from the new tokens before them.

    MAX's kernel for this reads old and new keys where they lie. With tensor
    operations, joining them would copy the whole cache for every token.

    Args:
        query, key, value: ``[B, T, H, D]``, of the new tokens.
        past: a key and a value ``[P, B, H, D]``, of the tokens before them.
        mask: ``[B, T, P + T]``, 0 where a new token may look, -inf where not.

    Returns:
        ``[B, T, H, D]``.
    """
    old = [part.permute([1, 2, 0, 3]).unsqueeze(0) for part in past]  # [1, B, H, P, D]
    scale = Tensor(1 / sqrt(int(query.shape[-1])), dtype=DType.float32, device=CPU())
    (attended,) = F.custom(
        "with_mask_flash_attention_split_kv_cpu",
        query.device,
        [query, key, value, *old, mask, scale],
        [TensorType(query.dtype, query.shape, query.device)],
    )
    return attended


class CachedAttention(GPT2MultiHeadAttention):
    """Step 09 with a memory."""

    def forward(self, x: Tensor, past: Layer, mask: Tensor) -> tuple[Tensor, Layer]:
        """``[B, T, C]`` to the same, and to the new key and value ``[T, B, H, D]``."""
        batch, length, channels = x.shape
        heads = [batch, length, self.n_head, int(channels) // self.n_head]
        query, key, value = (part.reshape(heads) for part in self.qkv(x))
        attended = attend_with_past(query, key, value, past, mask)
        new = key.transpose(0, 1), value.transpose(0, 1)
        return self.c_proj(attended.reshape(x.shape)), new


class CachedBlock(GPT2Block):
    """Step 11 around that attention."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.attn = CachedAttention(config)

    def forward(self, x: Tensor, past: Layer, mask: Tensor) -> tuple[Tensor, Layer]:
        """``[B, T, C]`` to the same, and to the new key and value ``[T, B, H, D]``."""
        attended, new = self.attn(self.ln_1(x), past, mask)
        return pre_norm_residual(x + attended, self.ln_2, self.mlp), new


class CachedGPT2(MaxGPT2LMHeadModel):
    """Steps 12 and 13 for new tokens after a past; its parameters are the same."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.transformer.h = ModuleList(
            [CachedBlock(config) for _ in range(config.n_layer)]
        )
        for _, layer in self.descendants:
            if isinstance(layer, Linear):
                layer.__class__ = Projection  # other arithmetic, same parameters

    def forward(
        self, input_ids: Tensor, positions: Tensor, mask: Tensor, cache: list[Layer]
    ) -> tuple[Tensor, list[Layer]]:
        """Scores what comes after the last of the new tokens.

        Args:
            input_ids: ``[B, T]``, the new tokens.
            positions: ``[B, T]``, their places in their texts.
            mask: ``[B, T, P + T]``, 0 where a new token may look, -inf where not.
            cache: for every layer a key and a value ``[P, B, H, D]``; P may be 0.

        Returns:
            The logits ``[B, V]``, and what the new tokens add to the cache: for
            every layer a key and a value ``[T, B, H, D]``.
        """
        model, new = self.transformer, []
        x = model.wte(input_ids) + model.wpe(positions)  # [B, T, C]
        for block, past in zip(model.h, cache, strict=True):
            # The blocks differ in their weights alone: one is traced for all.
            x, added = as_subgraph(block, name="block")(x, past, mask)
            new.append(added)
        last = model.ln_f(x[:, -1, :])  # [B, C]: nobody asks for the other logits
        return project(last, model.wte.weight), new

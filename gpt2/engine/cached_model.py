"""GPT-2 with a key-value cache, built from the solutions' model.

Shapes: B batch, T new tokens, A asked tokens, C channels, V vocabulary. Each text
begins at position 0. ``operations`` computes what depends on the device and on the
weights.

Source: Pope et al. 2022, "Efficiently Scaling Transformer Inference", section 2.
"""

from max.experimental.nn import Linear, ModuleList
from max.experimental.tensor import Tensor

from gpt2.engine.operations import Layer, Norm, Operations, Projection, take
from solutions.solution_01 import GPT2Config
from solutions.solution_03 import LayerNorm
from solutions.solution_04 import GPT2MLP
from solutions.solution_09 import GPT2MultiHeadAttention
from solutions.solution_10 import pre_norm_residual
from solutions.solution_11 import GPT2Block
from solutions.solution_13 import MaxGPT2LMHeadModel


class CachedAttention(GPT2MultiHeadAttention):
    """Step 09's attention with a key-value cache."""

    def __init__(self, config: GPT2Config, operations: Operations) -> None:
        super().__init__(config)
        self.operations = operations

    def forward(
        self,
        x: Tensor,
        past: Layer,
        seen: Tensor,
        positions: Tensor,
        asked: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns ``[B, A, C]`` for tokens ``[B, T, C]``, and the new key and value if
        the cache has not got them yet. Without ``asked``, A is T."""
        qkv = self.qkv.c_attn(x)
        attended, new = self.operations.attend(qkv, past, seen, positions, asked)
        return self.c_proj(attended), new


class MLP(GPT2MLP):
    """Step 04's network, whose first layer computes the GELU, too."""

    def forward(self, x: Tensor) -> Tensor:
        """Transforms each token on its own: ``[B, T, C]`` to ``[B, T, C]``."""
        return self.c_proj(self.c_fc(x, gelu=True))


class CachedBlock(GPT2Block):
    """Step 11's block with ``CachedAttention``."""

    def __init__(self, config: GPT2Config, operations: Operations) -> None:
        super().__init__(config)
        self.attn = CachedAttention(config, operations)
        self.mlp = MLP(config.n_inner, config)

    def forward(
        self,
        x: Tensor,
        past: Layer,
        seen: Tensor,
        positions: Tensor,
        asked: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Has the same inputs and outputs as ``CachedAttention.forward``."""
        attended, new = self.attn(self.ln_1(x), past, seen, positions, asked)
        return pre_norm_residual(take(x, asked) + attended, self.ln_2, self.mlp), new


class CachedGPT2(MaxGPT2LMHeadModel):
    """Steps 12 and 13 with a cache and with the same parameters."""

    def __init__(self, config: GPT2Config, operations: Operations) -> None:
        super().__init__(config)
        self.operations = operations
        blocks = [CachedBlock(config, operations) for _ in range(config.n_layer)]
        self.transformer.h = ModuleList(blocks)
        operations.prepare(self.transformer.wte)
        others = {Linear: Projection, LayerNorm: Norm}  # the same names of parameters
        for _, layer in self.descendants:
            if type(layer) in others:
                layer.__class__ = others[type(layer)]
                layer.operations = operations
            if isinstance(layer, Projection):
                operations.prepare(layer)

    def forward(
        self,
        input_ids: Tensor,
        positions: Tensor,
        seen: Tensor,
        asked: Tensor,
        *cache: Tensor,
    ) -> tuple[Tensor, ...]:
        """Computes the logits of the tokens that follow the asked ones.

        Args:
            input_ids: ``[B, T]``, the new tokens.
            positions: ``[B, T]``, the new tokens' positions in their texts.
            seen: tells which positions a token sees; see ``Operations.seen_type``.
            asked: ``[A]``, places among the new tokens, the same in every text.
            *cache: a key and a value for every layer; see ``Operations.cache_types``.

        Returns:
            The logits ``[B, A, V]``, and the new tokens' key and value for every layer,
            if the cache has not got them yet.
        """
        model, new = self.transformer, ()  # before 26.7 a subgraph takes no lists
        x = self.operations.embed(model, input_ids, positions)  # [B, T, C]
        batch, _, channels = x.shape
        pasts = zip(cache[::2], cache[1::2], strict=True)
        *blocks, (last_block, last_past) = zip(model.h, pasts, strict=True)
        for block, past in blocks:
            x, added = block(x, past, seen, positions)
            new += added
        # The last block skips all tokens whose logits nobody needs.
        x, added = last_block(x, last_past, seen, positions, asked)  # [B, A, C]
        new += added
        places = asked.shape[0]
        rows = model.ln_f(x).reshape([batch * places, channels])
        logits = self.operations.project(rows, model.wte, gelu=False)
        return logits.reshape([batch, places, logits.shape[1]]), *new

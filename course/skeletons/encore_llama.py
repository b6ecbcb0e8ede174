"""Encore: from GPT-2 to Llama, the same model with six parts exchanged.

Most open models of today have the form of Llama (Meta 2023). It is GPT-2, and your
steps, with six changes. Each is small:

    GPT-2                            Llama
    layer normalization              root mean square only: no mean, no bias
    a learned table of positions     queries and keys are turned by their position
    two layers with a GELU           three layers, of which one is a gate (SwiGLU)
    H queries, H keys, H values      H queries, and G keys and values that they share
    biases everywhere                none
    the head is wte again            a head of its own, or wte again

What does not change is not written again: your embedding of step 05, your attention of
step 08 and your residual connection of step 10 serve here as they are. The parameters
have the names of Hugging Face's checkpoints, so that weights are loaded by a walk over
their names: model.layers.0.self_attn.q_proj.weight and so on.

The positions are the heart of it. A head's D channels are D / 2 pairs, and each pair is
a hand of a clock. Token p's hands are turned by p steps, and each pair has a speed of
its own. A query's product with a key then depends on the difference of their positions
only. The hand of pair i has the coordinates a and b, channel i and channel i + D / 2;
turned by an angle it has

    a · cos - b · sin    in the place of a
    b · cos + a · sin    in the place of b

The traps: the pairs are not neighbours; values are not turned; G heads become H by
repeating each head in its place, 0 0 1 1 and not 0 1 0 1; epsilon stands under the
root; SiLU belongs to the gate alone.

Shapes: B batch, T tokens, C channels, H heads, D = C / H, G heads with a key and a
value, I inner width, V vocabulary.

Look up: ``F.mean``, ``F.rsqrt``, ``F.chunk``, ``F.concat``, ``F.stack``, ``F.sigmoid``,
``F.gather``, ``Linear(..., bias=False)``, ``functools.partial``, your own steps 04, 09
and 11 to 13. (``F.silu``, ``F.cos`` and ``F.sin`` work, too. MAX compiles each of them
when it is first used, which takes half a minute.)
Check with ``pixi run llama`` or ``uv run llama``.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import Linear, Module, ModuleList
from max.experimental.tensor import Tensor

from steps.step_01 import GPT2Config
from steps.step_05 import GPT2Embeddings
from steps.step_08 import compute_attention
from steps.step_10 import pre_norm_residual


@dataclass(frozen=True, kw_only=True)
class LlamaConfig(GPT2Config):
    """The sizes of a Llama: the seven of step 01, and three more.

    ``layer_norm_epsilon`` is the epsilon of RMSNorm.
    """

    n_kv_head: int  # G: heads with a key and a value of their own; H / G share one
    rope_theta: float  # how much slower the last pair of channels turns than the first
    tie_word_embeddings: bool  # whether the head is the token embedding, as in GPT-2


class RMSNorm(Module[[Tensor], Tensor]):
    """Divides each token's channels by their root mean square, then rescales.

    Args:
        dim: C, the number of channels.
        eps: added to the mean square, so that zeros do not divide by zero.

    Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", section 4.
    """

    weight: Tensor  # [C], starts at one

    def __init__(self, dim: int, *, eps: float = 1e-6) -> None:
        # Keep eps, and make the parameter that the class declares. There is only one.

        raise NotImplementedError("Create the weight of C ones, and keep eps.")

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes the last axis of ``x``: ``[..., C]`` to ``[..., C]``."""
        # The mean of the squares over the last axis, which stays with size 1. No mean
        # is subtracted: that is the difference from step 03.

        # Divide by the root of that and eps, and rescale.

        raise NotImplementedError("Return x over its root mean square, rescaled.")


def rotary_tables(
    n_positions: int, head_size: int, theta: float
) -> tuple[np.ndarray, np.ndarray]:
    """Makes the cosine and the sine of the angle of every position and pair.

    A head's D channels are D / 2 pairs. At position p, pair i is turned by the angle
    p · theta ** (-2i / D), in radians.

    Args:
        n_positions: the number of positions, counted from 0.
        head_size: D, an even number.
        theta: the base of the powers.

    Returns:
        Two float32 arrays ``[n_positions, D / 2]``: the cosines, then the sines.

    Source: Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position
    Embedding", section 3.2.2, equation 15.
    """
    # This is NumPy: the tables depend on no token, and are made once.

    # The speed of each pair: [D / 2]. Pair 0 turns by 1 for each position, and the last
    # pair almost theta times slower.

    # Each position times each speed: [n_positions, D / 2]

    # The cosine and the sine of all, as float32.

    raise NotImplementedError("Return the table of cosines and the table of sines.")


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns each pair of channels by the angle of its token's position.

    Pair i is made of the channels i and i + D / 2, as in Hugging Face's checkpoints.
    (a, b) becomes (a · cos - b · sin, b · cos + a · sin).

    Args:
        x: ``[..., T, D]``, queries or keys.
        cos: ``[T, D / 2]``, the cosine of each token's and pair's angle.
        sin: ``[T, D / 2]``, the sines.

    Returns:
        ``[..., T, D]``, the turned pairs in their places.

    Source: Su et al. 2021, section 3.4.2, equation 34.
    """
    # The first half of the channels holds the pairs' first coordinates, the second half
    # their second ones: two of [..., T, D / 2].

    # Both new coordinates by the formula above, and then side by side again.

    raise NotImplementedError("Return x with every pair turned by its angle.")


def repeat_heads(x: Tensor, times: int) -> Tensor:
    """Gives each head of ``x`` to ``times`` query heads that follow each other.

    Args:
        x: ``[B, G, T, D]``, keys or values.
        times: H / G, how many query heads share one of them.

    Returns:
        ``[B, G · times, T, D]``: head 0 ``times`` times, then head 1, and so on.

    Source: Ainslie et al. 2023, "GQA: Training Generalized Multi-Query Transformer
    Models from Multi-Head Checkpoints", section 2.2.
    """
    # Copies of x behind each head, on a new axis: [B, G, times, T, D]

    # Then the two axes of heads become one. The order is the one of memory. (MAX has
    # F.repeat_interleave for this, but only in compiled graphs.)

    raise NotImplementedError("Return each head of x times times, one after another.")


class LlamaAttention(Module[[Tensor, Tensor, Tensor], Tensor]):
    """Step 09 with rotated queries and keys, fewer key and value heads, no biases.

    Args:
        config: the model's sizes; C is H times D.

    Source: Touvron et al. 2023, "Llama 2: Open Foundation and Fine-Tuned Chat
    Models", section 2.2.
    """

    q_proj: Linear  # C -> H D
    k_proj: Linear  # C -> G D
    v_proj: Linear  # C -> G D
    o_proj: Linear  # H D -> C, mixes what the heads found

    def __init__(self, config: LlamaConfig) -> None:
        # Keep D, and how many query heads share a key.

        # The four layers that the class declares, without biases. Keys and values are
        # narrower than queries where G is smaller than H.

        raise NotImplementedError("Create q_proj, k_proj, v_proj and o_proj.")

    def split_heads(self, x: Tensor) -> Tensor:
        """Gives each head its D channels: [B, T, n D] -> [B, n, T, D]."""
        # As in step 09, but the number of heads follows from the channels of x: there
        # are H heads in the queries and G in the keys and values.

        raise NotImplementedError("Return x cut into heads of D channels.")

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Lets each token gather from the tokens before it: ``[B, T, C]`` to same.

        ``cos`` and ``sin``, ``[T, D / 2]``, are those of the tokens' positions.
        """
        # Query, key and value, cut into heads: [B, H, T, D] and two of [B, G, T, D]

        # Turn the query and the key. Who asks and who is found need a position; what is
        # said does not.

        # As many keys and values as queries, and then step 08: -> [B, H, T, D]

        # Join the heads and mix: -> [B, T, C]

        raise NotImplementedError("Return what each token gathers, mixed by o_proj.")


class LlamaMLP(Module[[Tensor], Tensor]):
    """Step 04 with a gate in the place of GELU, called SwiGLU, and no biases.

    Args:
        config: the model's sizes; ``n_inner`` is I.

    Source: Shazeer 2020, "GLU Variants Improve Transformer", section 2, equation 6.
    """

    gate_proj: Linear  # C -> I
    up_proj: Linear  # C -> I
    down_proj: Linear  # I -> C

    def __init__(self, config: LlamaConfig) -> None:
        # The three layers that the class declares, without biases.

        raise NotImplementedError("Create gate_proj, up_proj and down_proj.")

    def forward(self, x: Tensor) -> Tensor:
        """Transforms each token on its own: ``[..., C]`` to ``[..., C]``."""
        # Two layers read x. The first one's result goes through SiLU, which is its
        # argument times the sigmoid of its argument. The other's does not.

        # Their product, number by number, goes through the third layer.

        raise NotImplementedError("Return down_proj of the gated values.")


class LlamaBlock(Module[[Tensor, Tensor, Tensor], Tensor]):
    """Step 11 with these parts, under the names of Hugging Face's checkpoints.

    Args:
        config: the model's sizes.

    Source: Touvron et al. 2023, "LLaMA: Open and Efficient Foundation Language
    Models", section 2.2.
    """

    input_layernorm: RMSNorm  # before attention
    self_attn: LlamaAttention
    post_attention_layernorm: RMSNorm  # before the feed-forward network
    mlp: LlamaMLP

    def __init__(self, config: LlamaConfig) -> None:
        # The four parts that the class declares, with the configuration's sizes. The
        # normalizations use its layer_norm_epsilon.

        raise NotImplementedError("Create the two norms, the attention and the MLP.")

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Runs one layer of the model: ``[B, T, C]`` to ``[B, T, C]``."""
        # Two halves, as in step 11. Step 10 calls its sublayer with one argument, and
        # this attention needs three: give it the other two beforehand.

        raise NotImplementedError("Return x after attention and the MLP.")


class LlamaModel(Module[[Tensor], Tensor]):
    """Step 12 with these blocks, and no table of position embeddings.

    Args:
        config: the model's sizes; ``n_layer`` blocks are stacked.
    """

    embed_tokens: GPT2Embeddings
    layers: ModuleList
    norm: RMSNorm

    def __init__(self, config: LlamaConfig) -> None:
        # The tables of all n_positions positions, for heads of D channels. They are not
        # learned: keep them as NumPy arrays, because a tensor would be a parameter.

        # What the class declares: step 05's embedding, n_layer blocks, a last norm.

        raise NotImplementedError("Create the tables, the embedding, blocks and norm.")

    def forward(self, input_ids: Tensor) -> Tensor:
        """Turns token ids ``[B, T]`` into hidden states ``[B, T, C]``."""
        # The rows of both tables for positions 0 to T - 1, as tensors: [T, D / 2]. Step
        # 06 looks up rows in the same way; Tensor(array) makes a tensor of a table.

        # The tokens' embeddings, to which no position is added.

        # Through the blocks in order, with cos and sin for each. Then normalize.

        raise NotImplementedError("Return the hidden states after the last norm.")


class LlamaForCausalLM(Module[[Tensor], Tensor]):
    """Step 13, with a head that may have weights of its own.

    Args:
        config: the model's sizes. With ``tie_word_embeddings`` there is no
            ``lm_head``: the head is the token embedding.
    """

    model: LlamaModel
    lm_head: Linear  # C -> V

    def __init__(self, config: LlamaConfig) -> None:
        # The model, and a head of its own where the configuration asks for one: a layer
        # without a bias. A tied head has no parameter.

        raise NotImplementedError("Create the model, and lm_head if it is not tied.")

    def forward(self, input_ids: Tensor) -> Tensor:
        """Rates every possible next token: ids ``[B, T]`` to logits ``[B, T, V]``."""
        # The hidden states, and then the head: as in step 13, or lm_head.

        raise NotImplementedError("Return the logits of every token of the vocabulary.")

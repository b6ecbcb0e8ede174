"""Step 12: stacking, from token ids through every block to the last normalization."""

from max.dtype import DType
from max.experimental.nn import Module, ModuleList
from max.experimental.tensor import Tensor

from solutions.solution_01 import GPT2Config
from solutions.solution_03 import LayerNorm
from solutions.solution_05 import GPT2Embeddings
from solutions.solution_06 import GPT2PositionEmbeddings
from solutions.solution_11 import GPT2Block


class GPT2Model(Module[[Tensor], Tensor]):
    """GPT-2 without its head: what the model knows about each position in the text.

    Args:
        config: the model's sizes; ``n_layer`` blocks are stacked.

    Source: Radford et al. 2018, section 3.1, equation 2; Radford et al. 2019,
    section 2.3 (the additional layer normalization after the last block).
    """

    wte: GPT2Embeddings
    wpe: GPT2PositionEmbeddings
    h: ModuleList
    ln_f: LayerNorm

    def __init__(self, config: GPT2Config) -> None:
        self.wte = GPT2Embeddings(config)
        self.wpe = GPT2PositionEmbeddings(config)
        self.h = ModuleList([GPT2Block(config) for _ in range(config.n_layer)])
        self.ln_f = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Turns token ids ``[B, T]`` into hidden states ``[B, T, C]``."""
        length = input_ids.shape[1]
        positions = Tensor.arange(length, dtype=DType.int64, device=input_ids.device)
        x = self.wte(input_ids) + self.wpe(positions)  # [B, T, C] + [T, C]
        for block in self.h:
            x = block(x)
        return self.ln_f(x)

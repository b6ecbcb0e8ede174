"""CTranslate2's generator."""

import time
from pathlib import Path

import ctranslate2
import numpy as np
from ctranslate2.converters.converter import Converter
from ctranslate2.specs import TransformerDecoderModelSpec
from ctranslate2.specs.common_spec import Activation

from benchmarks.programs.answering import answer, arguments, load, sizes

LAYER = {
    "ln_1": lambda layer: layer.self_attention.layer_norm,
    "attn.c_attn": lambda layer: layer.self_attention.linear[0],
    "attn.c_proj": lambda layer: layer.self_attention.linear[1],
    "ln_2": lambda layer: layer.ffn.layer_norm,
    "mlp.c_fc": lambda layer: layer.ffn.linear_0,
    "mlp.c_proj": lambda layer: layer.ffn.linear_1,
}


class OurWeights(Converter):
    """Reads the weights from their folder; a token's text is its id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _load(self) -> TransformerDecoderModelSpec:
        config, weights = sizes(self.folder), load(self.folder)
        spec = TransformerDecoderModelSpec.from_config(
            config["n_layer"],
            config["n_head"],
            pre_norm=True,
            activation=Activation.GELUTanh,
        )
        decoder = spec.decoder
        decoder.scale_embeddings = False
        decoder.embeddings.weight = weights["transformer.wte.weight"]
        decoder.projection.weight = weights["transformer.wte.weight"]
        decoder.position_encodings.encodings = weights["transformer.wpe.weight"]
        fill(decoder.layer_norm, weights, "transformer.ln_f")
        for number, layer in enumerate(decoder.layer):
            for name, part in LAYER.items():
                fill(part(layer), weights, f"transformer.h.{number}.{name}")
        spec.register_vocabulary([str(token) for token in range(config["vocab_size"])])
        spec.config.bos_token = spec.config.eos_token = spec.config.unk_token = "0"
        spec.config.layer_norm_epsilon = config["layer_norm_epsilon"]
        return spec


def fill(part, weights: dict[str, np.ndarray], name: str) -> None:
    """Gives a linear layer or a normalization its weight and bias."""
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    if weight.ndim == 2:
        part.weight, part.bias = weight, bias
    else:
        part.gamma, part.beta = weight, bias


def main() -> None:
    folder, precision, threads = arguments()
    if precision not in ctranslate2.get_supported_compute_types("cpu"):
        raise SystemExit(f"CTranslate2 does not compute in {precision} on this CPU")
    path = OurWeights(folder).convert(
        str(folder / f"ctranslate2-{precision}"), quantization=precision
    )
    generator = ctranslate2.Generator(
        path, compute_type=precision, inter_threads=1, intra_threads=threads
    )

    def decode(prompt: np.ndarray, count: int, room: int) -> dict:
        ends = [0.0] * count

        def written(token: ctranslate2.GenerationStepResult) -> bool:
            ends[token.step] = time.perf_counter()
            return False

        start = time.perf_counter()
        results = generator.generate_batch(
            [[str(token) for token in row] for row in prompt],
            max_length=count,
            end_token=[],
            include_prompt_in_result=False,
            callback=written,
        )
        ids = [result.sequences_ids[0] for result in results]
        return {"ids": ids, "seconds": np.diff([start, *ends]).tolist()}

    answer(f"CTranslate2 {ctranslate2.__version__}", decode)


if __name__ == "__main__":
    main()

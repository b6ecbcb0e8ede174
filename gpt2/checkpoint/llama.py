"""What is special about the files of a Llama: its config.json, and its parameters."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.sizes import check_divides, check_sizes, check_supported
from solutions.solution_01 import GPT2Config

if TYPE_CHECKING:
    from solutions.encore_llama import LlamaConfig

# A missing key stands for the first value.
SUPPORTED = {
    "hidden_act": ("silu", "swish"),  # two names of one function
    "attention_bias": (False,),
    "mlp_bias": (False,),
    "rope_type": ("default",),
    "quantization_config": (None,),
}
NAMES = {  # of the sizes in config.json
    "vocab_size": "vocab_size",
    "n_positions": "max_position_embeddings",
    "n_embd": "hidden_size",
    "n_layer": "num_hidden_layers",
    "n_head": "num_attention_heads",
    "n_inner": "intermediate_size",
    "layer_norm_epsilon": "rms_norm_eps",
    "n_kv_head": "num_key_value_heads",
}
LINEAR = ("q", "k", "v", "o")


def is_llama(config: GPT2Config) -> bool:
    """Whether sizes are a Llama's; the answer needs no import of MAX."""
    return hasattr(config, "n_kv_head")


def llama_config(settings: dict[str, Any], path: Path) -> "LlamaConfig":
    """Returns the sizes of a Llama.

    Raises:
        CheckpointError: a size is missing or impossible, or it is a variant that the
            course does not build.
    """
    from solutions.encore_llama import LlamaConfig  # imports MAX

    settings = settings | rope_settings(settings, path)
    if settings.get("num_key_value_heads") is None:  # as in the first Llama
        settings["num_key_value_heads"] = settings.get("num_attention_heads")
    check_supported(settings, SUPPORTED, "Llama", path)
    for name in NAMES.values():
        if settings.get(name) is None:
            raise CheckpointError(f"{path} has no {name}: get the file again")
    config = LlamaConfig(
        **{field: settings[name] for field, name in NAMES.items()},
        rope_theta=settings["rope_theta"],
        tie_word_embeddings=settings.get("tie_word_embeddings", False),
    )
    check_sizes(config, path, NAMES)
    check_divides(config, path, "n_head", "n_kv_head", NAMES)
    check_head_size(config, settings.get("head_dim"), path)
    return config


def rope_settings(settings: dict[str, Any], path: Path) -> dict[str, Any]:
    """Returns how positions are made; transformers has three forms of these settings.

    Raises:
        CheckpointError: they have no form that can be read.
    """
    rope = settings.get("rope_parameters") or settings.get("rope_scaling") or {}
    if not isinstance(rope, dict):
        raise CheckpointError(
            f"{path} has rope_parameters = {rope!r}: it must be a JSON object"
        )
    kind = rope.get("rope_type", rope.get("type", "default"))
    theta = rope.get("rope_theta", settings.get("rope_theta", 10_000.0))
    whole = isinstance(theta, int) and not isinstance(theta, bool)
    return {"rope_type": kind, "rope_theta": float(theta) if whole else theta}


def check_head_size(config: "LlamaConfig", asked: Any, path: Path) -> None:
    """Raises ``CheckpointError`` unless a head has its even share of the channels."""
    size = config.n_embd // config.n_head
    if asked not in (None, size):
        raise CheckpointError(
            f"{path} has head_dim = {asked!r}: the Llama of this course needs {size}, "
            "which is hidden_size / num_attention_heads"
        )
    if size % 2:
        raise CheckpointError(
            f"{path} has heads of {size} channels: pairs of them are turned, so it "
            "must be an even number"
        )


def llama_shapes(config: "LlamaConfig") -> dict[str, tuple[int, ...]]:
    """Returns the shape of every parameter, by name, as checkpoints store it."""
    channels = config.n_embd
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config.vocab_size, channels),
        "model.norm.weight": (channels,),
    }
    for number in range(config.n_layer):
        shapes |= block_shapes(config, f"model.layers.{number}")
    if not config.tie_word_embeddings:
        shapes["lm_head.weight"] = (config.vocab_size, channels)
    return shapes


def block_shapes(config: "LlamaConfig", block: str) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of one block's parameters."""
    channels, inner = config.n_embd, config.n_inner
    narrow = channels // config.n_head * config.n_kv_head
    outputs = zip(LINEAR, (channels, narrow, narrow, channels), strict=True)
    return {
        f"{block}.input_layernorm.weight": (channels,),
        f"{block}.post_attention_layernorm.weight": (channels,),
        **{f"{block}.self_attn.{n}_proj.weight": (o, channels) for n, o in outputs},
        f"{block}.mlp.gate_proj.weight": (inner, channels),
        f"{block}.mlp.up_proj.weight": (inner, channels),
        f"{block}.mlp.down_proj.weight": (channels, inner),
    }

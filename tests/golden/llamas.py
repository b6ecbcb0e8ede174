"""Llamas with random weights, for `make_golden.py`."""

from transformers import LlamaConfig, LlamaForCausalLM

# name: seed, standard deviation of the parameters, sizes
LLAMAS = {
    "llama": (
        4,
        0.25,
        dict(vocab_size=53, hidden_size=24, intermediate_size=34)
        | dict(num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2)
        | dict(max_position_embeddings=80, rms_norm_eps=3e-3)
        | dict(rope_parameters={"rope_type": "default", "rope_theta": 500.0}),
    ),
    "llama-tied": (
        5,
        0.3,
        dict(vocab_size=61, hidden_size=18, intermediate_size=25)
        | dict(num_hidden_layers=1, num_attention_heads=3, num_key_value_heads=1)
        | dict(max_position_embeddings=75, tie_word_embeddings=True),
    ),
}


def llama(sizes):
    """A Llama of these sizes; its weights are still transformers' own."""
    config = LlamaConfig(**sizes, bos_token_id=None, eos_token_id=None)
    return LlamaForCausalLM(config).eval()

"""Small checkpoints in Hugging Face's format, and an engine without a model."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors import TensorSpec, serialize_file
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.loading import load_checkpoint

TEXT = ["Once upon a time there was a little girl. She had a red ball."]
STORY = " there was a girl."
CHANNELS, INNER, POSITIONS, LAYERS, HEADS = 12, 48, 32, 2, 3


def train_bpe() -> Tokenizer:
    """Makes a byte-level BPE with a few merges; every byte is a token."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=290,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(TEXT, trainer)
    return bpe


BPE = train_bpe()
VOCAB = BPE.get_vocab_size()


def tensors() -> dict[str, np.ndarray]:
    """Returns all tensors of a two-layer GPT-2, with names and shapes as on the hub."""
    shapes = {"wte.weight": [VOCAB, CHANNELS], "wpe.weight": [POSITIONS, CHANNELS]}
    shapes |= {"ln_f.weight": [CHANNELS], "ln_f.bias": [CHANNELS]}
    for block in (f"h.{number}" for number in range(LAYERS)):
        shapes[f"{block}.ln_1.weight"] = shapes[f"{block}.ln_1.bias"] = [CHANNELS]
        shapes[f"{block}.ln_2.weight"] = shapes[f"{block}.ln_2.bias"] = [CHANNELS]
        shapes[f"{block}.attn.c_attn.weight"] = [CHANNELS, 3 * CHANNELS]
        shapes[f"{block}.attn.c_attn.bias"] = [3 * CHANNELS]
        shapes[f"{block}.attn.c_proj.weight"] = [CHANNELS, CHANNELS]
        shapes[f"{block}.attn.c_proj.bias"] = [CHANNELS]
        shapes[f"{block}.mlp.c_fc.weight"] = [CHANNELS, INNER]
        shapes[f"{block}.mlp.c_fc.bias"] = [INNER]
        shapes[f"{block}.mlp.c_proj.weight"] = [INNER, CHANNELS]
        shapes[f"{block}.mlp.c_proj.bias"] = [CHANNELS]
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(size=shape).astype(np.float32)
        for name, shape in shapes.items()
    }


def prefixed(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Renames the tensors as ``GPT2LMHeadModel`` saves them."""
    return {f"transformer.{name}": array for name, array in arrays.items()}


def save_bfloat16(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Writes the upper halves of float32 arrays; NumPy has no bfloat16."""
    halves = {
        name: (x.view(np.uint32) >> 16).astype("<u2") for name, x in arrays.items()
    }
    specs = {
        name: TensorSpec(
            dtype="bfloat16",
            shape=half.shape,
            data_ptr=half.ctypes.data,
            data_len=half.nbytes,
        )
        for name, half in halves.items()
    }
    serialize_file(specs, path)


def write_config(folder: Path, **changes: object) -> None:
    """Writes config.json with changes; the value ... removes a key."""
    settings = {
        "model_type": "gpt2",
        "activation_function": "gelu_new",
        "vocab_size": VOCAB,
        "n_positions": POSITIONS,
        "n_embd": CHANNELS,
        "n_layer": LAYERS,
        "n_head": HEADS,
        "n_inner": None,
        "layer_norm_epsilon": 1e-5,
    } | changes
    kept = {key: value for key, value in settings.items() if value is not ...}
    (folder / "config.json").write_text(json.dumps(kept))


class FakeEngine:
    """Makes the given tokens the likeliest ones in turn, again and again.

    Args:
        script: the ids.
        margin: the likeliest logit minus the other logits.
    """

    def __init__(self, script: Sequence[int], margin: float = 4.0) -> None:
        self.script, self.margin = list(script), margin
        self.calls: list[tuple[str, list]] = []
        self.rows = 0

    def _next(self, kind: str, ids: np.ndarray) -> np.ndarray:
        asked = sum(kind != "select" for kind, _ in self.calls)
        self.calls.append((kind, ids.tolist()))
        token = self.script[asked % len(self.script)]
        logits = np.random.default_rng(token).normal(size=[1, VOCAB]) * 0.3
        logits[0, token] = logits.max() + self.margin
        return logits.astype(np.float32).repeat(self.rows, axis=0)

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts new texts with ids ``[B, T]``."""
        self.rows = len(ids)
        return self._next("prefill", ids)

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Appends one id to each row, ids ``[B]``."""
        assert len(ids) == self.rows
        return self._next("decode", ids)

    def select(self, rows: Sequence[int]) -> None:
        """Keeps only these rows."""
        assert all(0 <= row < self.rows for row in rows)
        self.calls.append(("select", list(rows)))
        self.rows = len(rows)


class TableEngine:
    """Scores the next token from all tokens of a text; the last tokens count most.

    The engine keeps its texts like the real engines; ``read`` counts the tokens read.
    """

    def __init__(self, vocab: int = VOCAB) -> None:
        self.table = np.random.default_rng(0).normal(size=[vocab, vocab])
        self.texts = np.empty([0, 0], dtype=np.int64)
        self.read = 0

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Returns logits ``[N, V]`` for ids ``[N, T]``."""
        weights = 0.7 ** np.arange(ids.shape[1])[::-1]
        return (weights[:, None] * self.table[ids]).sum(axis=1)

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts new texts with ids ``[N, T]``."""
        self.texts = np.empty([len(ids), 0], dtype=np.int64)
        return self._extend(ids)

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Appends one id to each row, ids ``[N]``."""
        return self._extend(ids[:, None])

    def select(self, rows: Sequence[int]) -> None:
        """Keeps only these rows."""
        self.texts = self.texts[list(rows)]

    def continue_from(self, length: int, ids: np.ndarray, count: int) -> np.ndarray:
        """Keeps ``length`` tokens and appends ids ``[N, T]``; ``[N, count, V]``."""
        kept = self.texts[:, :length] if length else ids[:, :0]
        assert kept.shape[1] == length
        assert 1 <= count <= ids.shape[1]
        self.read += ids.size
        self.texts = np.concatenate([kept, ids], axis=1)
        ends = range(self.texts.shape[1] - count + 1, self.texts.shape[1] + 1)
        return np.stack([self.logits(self.texts[:, :end]) for end in ends], axis=1)

    def _extend(self, ids: np.ndarray) -> np.ndarray:
        self.read += ids.size
        self.texts = np.concatenate([self.texts, ids], axis=1)
        return self.logits(self.texts)


def interrupted(engine, after):
    """Raises KeyboardInterrupt while the model computes a later token."""
    decode = engine.decode

    def decode_or_stop(ids):
        if len(engine.calls) == after:
            raise KeyboardInterrupt
        return decode(ids)

    engine.decode = decode_or_stop
    return engine


def shard(folder: Path) -> None:
    """Replaces the single file by two shards and an index."""
    (folder / "model.safetensors").unlink()
    arrays = prefixed(tensors())
    index: dict[str, str] = {}
    for number, names in enumerate((list(arrays)[:9], list(arrays)[9:]), start=1):
        file = f"model-{number:05}-of-00002.safetensors"
        save_file({name: arrays[name] for name in names}, folder / file)
        index |= dict.fromkeys(names, file)
    content = json.dumps({"metadata": {}, "weight_map": index})
    (folder / "model.safetensors.index.json").write_text(content)


def sentence(folder: Path) -> str:
    """Returns the one-line message for a folder that cannot be used."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(str(folder))
    message = str(caught.value)
    assert "\n" not in message
    return message

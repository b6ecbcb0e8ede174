"""llama.cpp, through the low-level functions of llama-cpp-python.

The high-level functions of llama-cpp-python take half of the cores by default, and
sample in Python, so they say little about llama.cpp.
"""

import ctypes
import re
from pathlib import Path

import gguf
import llama_cpp as llama
import numpy as np
from gguf import GGMLQuantizationType as Type

from benchmarks.programs.answering import answer, arguments, load, sizes, timed_loop

TYPES = {"float32": Type.F32, "bfloat16": Type.BF16, "int8": Type.Q8_0}
NAMES = {
    "wte": "token_embd",
    "wpe": "position_embd",
    "ln_f": "output_norm",
    "ln_1": "attn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}


def gguf_name(name: str) -> str:
    """Turns ``transformer.h.0.ln_1.weight`` into ``blk.0.attn_norm.weight``."""
    *place, kind = name.removeprefix("transformer.").split(".")
    if place[0] != "h":
        return f"{NAMES['.'.join(place)]}.{kind}"
    return f"blk.{place[1]}.{NAMES['.'.join(place[2:])]}.{kind}"


def write_model(folder: Path, precision: str) -> Path:
    """Writes the weights as GGUF, matrices in this precision; the head is ``wte``."""
    path, config = folder / f"{precision}.gguf", sizes(folder)
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_context_length(config["n_positions"])
    writer.add_embedding_length(config["n_embd"])
    writer.add_block_count(config["n_layer"])
    writer.add_feed_forward_length(config["n_inner"])
    writer.add_head_count(config["n_head"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("none")  # ids come and go
    for name, array in load(folder).items():
        matrix = array.ndim == 2 and "wpe" not in name
        kind = TYPES[precision] if matrix else Type.F32
        packed = gguf.quants.quantize(array, kind)
        writer.add_tensor(gguf_name(name), packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


class Texts:
    """Equally long texts, each with a key-value cache of its own.

    Args:
        model: from llama.cpp.
        rows: how many texts, B.
        length: how many tokens a text may have.
        precision: with float32 weights the cache has float32 too. With others it has
            llama.cpp's default, float16.
        threads: for prompts and for single tokens.
    """

    def __init__(
        self, model, rows: int, length: int, precision: str, threads: int
    ) -> None:
        options = llama.llama_context_default_params()
        options.n_ctx, options.n_seq_max = rows * length, rows
        options.n_batch = max(options.n_batch, rows * length)
        options.n_outputs_max = rows
        options.n_threads = options.n_threads_batch = threads
        options.kv_unified = False  # a text's attention skips the other texts
        if precision == "float32":
            options.type_k = options.type_v = Type.F32
        self.shape, self.length = (rows, length), 0
        self._context = llama.llama_init_from_model(model, options)
        if not self._context:
            raise RuntimeError("llama.cpp made no context")
        self._vocab = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))

    def clear(self) -> None:
        """Forgets the tokens of all texts."""
        llama.llama_memory_clear(llama.llama_get_memory(self._context), False)
        self.length = 0

    def extend(self, ids: np.ndarray) -> np.ndarray:
        """Appends ids ``[B, T]``; returns the next logits ``[B, V]``."""
        rows, new = ids.shape
        batch = llama.llama_batch_init(ids.size, 0, 1)
        batch.n_tokens = ids.size
        for place, ((row, column), token) in enumerate(np.ndenumerate(ids)):
            batch.token[place], batch.pos[place] = token, self.length + column
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, row
            batch.logits[place] = column == new - 1
        failed = llama.llama_decode(self._context, batch)
        llama.llama_batch_free(batch)
        if failed:
            raise RuntimeError(f"llama_decode returned {failed}")
        self.length += new
        pointer = llama.llama_get_logits(self._context)
        return np.ctypeslib.as_array(pointer, (rows, self._vocab))

    def close(self) -> None:
        llama.llama_free(self._context)


@llama.llama_log_callback
def only_errors(level: int, text: bytes, _: ctypes.c_void_p) -> None:
    if level == 4:  # GGML_LOG_LEVEL_ERROR
        print(text.decode(errors="replace"), end="", flush=True)


def main() -> None:
    folder, precision, threads = arguments()
    llama.llama_log_set(only_errors, ctypes.c_void_p(0))
    llama.llama_backend_init()
    path = str(write_model(folder, precision)).encode()
    options = llama.llama_model_default_params()
    model = llama.llama_model_load_from_file(path, options)
    texts: list[Texts] = []  # the last ones: each case has one shape

    def decode(prompt: np.ndarray, count: int, room: int) -> dict:
        shape = len(prompt), room
        if not texts or texts[0].shape != shape:
            for old in texts:
                old.close()
            texts[:] = [Texts(model, *shape, precision, threads)]
        texts[0].clear()
        return timed_loop(
            lambda: texts[0].extend(prompt),
            lambda ids: texts[0].extend(ids[:, None]),
            count,
        )

    built = re.findall(r"AVX\w*|NEON|SVE", llama.llama_print_system_info().decode())
    answer(f"llama-cpp-python {llama.__version__}, {' '.join(built)}", decode)


if __name__ == "__main__":
    main()

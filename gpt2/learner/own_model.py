"""Runs a learner's model as an engine, with or without the learner's KV cache."""

import time
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module

from gpt2.checkpoint.loading import Checkpoint
from gpt2.decoding.generation import TokenEngine
from gpt2.engine import engines
from gpt2.engine.graph_file import seconds_to_compile
from gpt2.learner.borrowing import Borrowed
from gpt2.learner.eager_engine import CachedEagerEngine, EagerEngine
from gpt2.learner.own_kernel import open_with_kernel
from gpt2.learner.step_errors import blame_steps
from runtime.defaults import silence_advice
from runtime.plain_max import plain_max

COMPILING = (
    "compiling your model: about {seconds} s the first time and after each change in "
    "steps/; it then reads the whole text for every token, without a KV cache"
)
KV_CACHE = (
    "your KV cache writes, and reads each token once (--no-cache: your model reads the "
    "whole text for every token)"
)


def open_mine(
    checkpoint: Checkpoint,
    borrowed: Borrowed,
    *,
    cache: bool,
    device: str,
    compiled: bool = False,
    note: Callable[[str], None],
) -> TokenEngine:
    """Gives the checkpoint's weights to the model in ``steps/``.

    Args:
        checkpoint: sizes and weights.
        borrowed: what ``import steps`` gives.
        cache: use the learner's kernel or KV cache, if that encore is the learner's.
            The kernel multiplies in the course's model. A borrowed cache is never used:
            it would replace the learner's attention.
        device: ``"cpu"``, or ``"gpu"``, for which the model is always compiled.
        compiled: compile the model, which then has no cache.
        note: gets a sentence when the learner has to wait, or when the cache is used.

    Raises:
        LearnerError: the learner's model does not run.
    """
    silence_advice()
    weights = checkpoint.weights
    with blame_steps():
        usual = device == "cpu" and not compiled and not plain_max()
        usual = usual and cache and not checkpoint.is_llama
        if usual and "kernel" in borrowed.own:
            return open_with_kernel(checkpoint, note)
        config_class, model_class = own_classes(checkpoint)
        config = config_class(**asdict(checkpoint.config))
        if compiled or device == "gpu":
            start = time.perf_counter()
            about = seconds_to_compile(config, on_cpu=device == "cpu")
            note(COMPILING.format(seconds=about))
            engine = engines.RecomputingEngine(
                config, weights, model_class, device=device
            )
            note(f"compiled in {time.perf_counter() - start:.0f} s")
            return engine
        if cache and "kv-cache" in borrowed.own and not checkpoint.is_llama:
            module = import_module("steps.encore_kv_cache")
            note(KV_CACHE)
            return CachedEagerEngine(config, weights, module)
        return EagerEngine(config, weights, model_class)


def own_classes(checkpoint: Checkpoint) -> tuple[type, type]:
    """Returns the classes of ``steps/`` for a checkpoint's sizes and for its model."""
    if checkpoint.is_llama:
        encore = import_module("steps.encore_llama")
        return encore.LlamaConfig, encore.LlamaForCausalLM
    config_class = import_module("steps.step_01").GPT2Config
    return config_class, import_module("steps.step_13").MaxGPT2LMHeadModel

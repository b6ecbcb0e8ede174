"""The encore on Llama: the learner's Llama writes, with the embedded one's weights."""

from dataclasses import asdict
from typing import Any

from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from gpt2.learner.eager_engine import EagerEngine, load_model
from gpt2.learner.voice.model import VISIBLE, greedy, say_tokens, shown, story_loss
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech
from solutions import encore_llama


def show_llama(attempt: Attempt, speech: Speech) -> None:
    """Lets the Llama write, and says its loss beside that of the right code."""
    llama = load_checkpoint("tiny-llama")
    config = attempt.module.LlamaConfig(**asdict(llama.config))
    model_class = attempt.module.LlamaForCausalLM
    engine = EagerEngine(config, llama.weights, model_class)
    say_tokens(greedy(engine, attempt.story.prompt_ids), attempt, speech)
    mine = loss_of(attempt, llama, config, model_class)
    right = loss_of(attempt, llama, llama.config, encore_llama.LlamaForCausalLM)
    color = "green" if abs(mine - right) < VISIBLE else "red"
    speech.line(
        f"[{color}]loss {shown(mine)}[/] on the story as it was written, with the "
        f"weights of tiny-llama; the solution: {shown(right)}, the embedded GPT-2: "
        f"{shown(attempt.finished.loss)}"
    )


def loss_of(attempt: Attempt, llama: Checkpoint, config: Any, model: type) -> float:
    """Returns a class's loss on the attempt's story, with the Llama's weights."""
    return story_loss(load_model(model, config, llama.weights), attempt.story)

"""Turns a valid request into a job: token ids, limits and the seed."""

import secrets

from gpt2.checkpoint.context import new_tokens
from gpt2.checkpoint.loading import Checkpoint
from gpt2.decoding.settings import MOST_ROWS
from gpt2.serving.api_errors import ApiError
from gpt2.serving.schema import CompletionRequest
from gpt2.serving.text import Job

NEW_TOKENS = 16  # OpenAI's default


def job_of(request: CompletionRequest, checkpoint: Checkpoint) -> Job:
    """Makes a job from a request.

    Raises:
        ApiError: the server does not support the request.
        ContextError: a prompt is too long.
    """
    check_model(request.model, checkpoint)
    if request.usage_wanted and not request.stream:
        raise ApiError(400, "stream_options needs stream", param="stream_options")
    if request.best_of not in (1, request.n):
        message = "best_of is not supported here: it may be 1 or n"
        raise ApiError(400, message, param="best_of", code="unsupported")
    if request.echo and request.logprobs is not None:
        message = "the prompt's logprobs are not computed: leave out echo or logprobs"
        raise ApiError(400, message, param="logprobs", code="unsupported")
    if len(request.prompts) * request.n > MOST_ROWS:
        message = f"a request may ask for {MOST_ROWS} texts in all"
        raise ApiError(400, message, param="n")
    prompts = [token_ids(prompt, checkpoint) for prompt in request.prompts]
    return Job(
        prompts,
        request.strategy,
        secrets.randbelow(2**32) if request.seed is None else request.seed,
        min(
            new_tokens(checkpoint, len(prompt), request.max_tokens, NEW_TOKENS)
            for prompt in prompts
        ),
        request.n,
        request.stops,
        request.logprobs is not None,
    )


def check_model(name: str, checkpoint: Checkpoint) -> None:
    """Raises ``ApiError`` unless ``name`` is the model's name or folder."""
    if name.rstrip("/") != checkpoint.name.rstrip("/"):
        message = f"there is no model {name!r} here, only {checkpoint.name!r}"
        raise ApiError(404, message, param="model", code="model_not_found")


def token_ids(prompt: str | list[int], checkpoint: Checkpoint) -> list[int]:
    """Returns the ids of a prompt, which may be text or ids."""
    if isinstance(prompt, str):
        return checkpoint.tokenizer.encode_prompt(prompt)
    if max(prompt) >= (size := checkpoint.config.vocab_size):
        message = f"prompt: token ids must be from 0 to {size - 1}"
        raise ApiError(400, message, param="prompt")
    return prompt

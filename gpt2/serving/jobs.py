"""From a valid request to a job: tokens, limits, the seed."""

import secrets

from gpt2.checkpoint.loading import Checkpoint
from gpt2.decoding.settings import MOST_ROWS
from gpt2.serving.api_errors import ApiError
from gpt2.serving.schema import CompletionRequest
from gpt2.serving.text import Job

NEW_TOKENS = 16  # OpenAI's default


def job_of(request: CompletionRequest, checkpoint: Checkpoint) -> Job:
    """Makes a job of a request.

    Raises:
        ApiError: the model cannot do that.
    """
    if request.model != checkpoint.name:
        message = f"there is no model {request.model!r} here, only {checkpoint.name!r}"
        raise ApiError(404, message, param="model", code="model_not_found")
    if request.stream_options and not request.stream:
        raise ApiError(400, "stream_options goes with stream", param="stream_options")
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
        min(new_tokens(len(prompt), request, checkpoint) for prompt in prompts),
        request.n,
        request.stops,
        request.logprobs is not None,
    )


def token_ids(prompt: str | list[int], checkpoint: Checkpoint) -> list[int]:
    """The ids of a prompt; an end of text stands for nothing at all."""
    tokenizer, size = checkpoint.tokenizer, checkpoint.config.vocab_size
    if isinstance(prompt, str):
        return tokenizer.encode(prompt) or [tokenizer.end_of_text_id]
    if max(prompt) >= size:
        message = f"prompt: token ids must be from 0 to {size - 1}"
        raise ApiError(400, message, param="prompt")
    return prompt


def new_tokens(tokens: int, request: CompletionRequest, checkpoint: Checkpoint) -> int:
    """How many tokens may follow a prompt of so many."""
    context = checkpoint.config.n_positions
    room, wanted = context - tokens, request.max_tokens
    if room < (wanted or 0) or (wanted is None and room == 0):
        message = (
            f"{checkpoint.name} sees at most {context} tokens: the prompt has {tokens},"
            f" which leaves room for {max(room, 0)} new ones"
        )
        message += f", not for {wanted}" if wanted else ""
        param = "prompt" if room <= 0 else "max_tokens"
        raise ApiError(400, message, param=param, code="context_length_exceeded")
    return min(NEW_TOKENS, room) if wanted is None else wanted

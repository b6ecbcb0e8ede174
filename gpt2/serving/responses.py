"""Turns pieces of texts into OpenAI's JSON objects."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from gpt2.checkpoint.tokenizer import Tokenizer
from gpt2.decoding.generation import Step
from gpt2.serving.schema import CompletionRequest
from gpt2.serving.text import Job, Piece, merge


@dataclass
class Completion:
    """The answer to one request, as one object or as several.

    Args:
        request: the client's request.
        job: the job made from the request.
        tokenizer: gives the tokens' text.
    """

    request: CompletionRequest
    job: Job
    tokenizer: Tokenizer
    tokens: int = 0
    id: str = field(default_factory=lambda: f"cmpl-{uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def __post_init__(self) -> None:
        echo = [self._echo(number) for number in range(self.job.rows)]
        self._unsent = echo  # prompts to send before the texts
        self._offsets = [len(text) for text in echo]

    def _echo(self, index: int) -> str:
        """Returns the prompt to send before a text; empty without ``echo``."""
        if not self.request.echo:
            return ""
        prompt = self.request.prompts[index // self.job.samples]
        return prompt if isinstance(prompt, str) else self.tokenizer.decode(prompt)

    def chunk(self, pieces: Sequence[Piece]) -> dict:
        """Returns the JSON object for some pieces."""
        self.tokens += sum(piece.tokens for piece in pieces)
        return self._object([self._choice(piece) for piece in pieces])

    def whole(self, pieces: Sequence[Piece]) -> dict:
        """Returns the JSON object for all pieces of a job."""
        return self.chunk(merge(pieces)) | {"usage": self.usage()}

    def usage(self) -> dict:
        """Returns the numbers of tokens read and written."""
        read = sum(map(len, self.job.prompts))
        return {
            "prompt_tokens": read,
            "completion_tokens": self.tokens,
            "total_tokens": read + self.tokens,
        }

    def usage_chunk(self) -> dict:
        """Returns a stream's last object, sent if the request has ``include_usage``."""
        return self._object([]) | {"usage": self.usage()}

    def _object(self, choices: list[dict]) -> dict:
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.request.model,
            "choices": choices,
        }

    def _choice(self, piece: Piece) -> dict:
        text, self._unsent[piece.index] = self._unsent[piece.index] + piece.text, ""
        return {
            "index": piece.index,
            "text": text,
            "logprobs": self._logprobs(piece) if self.job.look else None,
            "finish_reason": piece.finish,
        }

    def _logprobs(self, piece: Piece) -> dict:
        """Returns logprobs of the distribution from which the token was drawn."""
        names = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
        found: dict[str, list] = {name: [] for name in names}
        for step, text in piece.steps:
            assert step.probability is not None  # because job.look is true
            found["tokens"].append(self.tokenizer.token(step.id))
            found["token_logprobs"].append(math.log(step.probability))
            found["top_logprobs"].append(self._top(step))
            found["text_offset"].append(self._offsets[piece.index])
            self._offsets[piece.index] += len(text)
        return found

    def _top(self, step: Step) -> dict[str, float]:
        best = list(step.best)[: self.request.logprobs]
        return {self.tokenizer.token(token): math.log(p) for token, p in best}

"""Turns pieces of texts into OpenAI's JSON objects."""

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from gpt2.checkpoint.tokenizer import Tokenizer
from gpt2.decoding.generation import Step
from gpt2.serving.documents import Choice, CompletionBody, Logprobs, Usage
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

    def chunk(self, pieces: Sequence[Piece]) -> CompletionBody:
        """Returns the JSON object for some pieces."""
        return self._object(self._choices(pieces), None)

    def whole(self, pieces: Sequence[Piece]) -> CompletionBody:
        """Returns the JSON object for all pieces of a job."""
        choices = self._choices(merge(pieces))
        return self._object(choices, self.usage())

    def usage(self) -> Usage:
        """Returns the numbers of tokens read and written."""
        read = sum(map(len, self.job.prompts))
        return {
            "prompt_tokens": read,
            "completion_tokens": self.tokens,
            "total_tokens": read + self.tokens,
        }

    def usage_chunk(self) -> CompletionBody:
        """Returns a stream's last object, sent if the request has ``include_usage``."""
        return self._object([], self.usage())

    def _object(self, choices: list[Choice], usage: Usage | None) -> CompletionBody:
        content: CompletionBody = {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.request.model,
            "choices": choices,
        }
        if usage or self.request.usage_wanted:
            content["usage"] = usage  # null in all objects of a stream but the last
        return content

    def _choices(self, pieces: Sequence[Piece]) -> list[Choice]:
        self.tokens += sum(piece.tokens for piece in pieces)
        return [self._choice(piece) for piece in pieces]

    def _choice(self, piece: Piece) -> Choice:
        text, self._unsent[piece.index] = self._unsent[piece.index] + piece.text, ""
        return {
            "index": piece.index,
            "text": text,
            "logprobs": self._logprobs(piece) if self.job.look else None,
            "finish_reason": piece.finish,
        }

    def _logprobs(self, piece: Piece) -> Logprobs:
        """Returns logprobs of the distribution from which the token was drawn."""
        found = Logprobs(tokens=[], token_logprobs=[], top_logprobs=[], text_offset=[])
        for step, text in piece.steps:
            top = self._top(step)
            names = self._names(list(top))
            found["tokens"].append(names[step.id])
            found["token_logprobs"].append(top[step.id])
            found["top_logprobs"].append({names[i]: p for i, p in top.items()})
            found["text_offset"].append(self._offsets[piece.index])
            self._offsets[piece.index] += len(text)
        return found

    def _top(self, step: Step) -> dict[int, float]:
        """Returns logprobs of the likeliest tokens, and of the drawn one, by id."""
        assert step.probability is not None  # because job.look is true
        best = dict(list(step.best)[: self.request.logprobs])
        best |= {step.id: step.probability}
        return {token: math.log(p) for token, p in best.items()}

    def _names(self, tokens: Sequence[int]) -> dict[int, str]:
        """Returns a different name for each token; vLLM numbers tokens like this."""
        names = {token: self.tokenizer.name(token) for token in tokens}
        counts = Counter(names.values())
        return {
            token: name if counts[name] == 1 else f"token_id:{token}"
            for token, name in names.items()
        }

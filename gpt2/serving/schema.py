"""What a client may ask for: the fields of ``/v1/completions`` and their limits."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gpt2.decoding.generation import SHOWN, Strategy

MOST_TEXTS = 64  # of one request
TokenId = Annotated[int, Field(ge=0)]
Stop = Annotated[str, StringConstraints(min_length=1, max_length=200)]

# Fields of OpenAI's that this server does not have, with what changes nothing.
NEUTRAL = {
    "best_of": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logit_bias": {},
    "suffix": "",
}


class StreamOptions(BaseModel):
    """What a stream has besides its text."""

    model_config = ConfigDict(extra="forbid", strict=True)
    include_usage: bool = False


class CompletionRequest(BaseModel):
    """The body of a request; OpenAI's names and defaults.

    ``top_k``, ``min_p`` and ``repetition_penalty`` are additions.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()
    )
    model: str
    prompt: (
        str
        | Annotated[list[str], Field(min_length=1)]
        | Annotated[list[TokenId], Field(min_length=1)]
        | Annotated[
            list[Annotated[list[TokenId], Field(min_length=1)]], Field(min_length=1)
        ]
    )
    max_tokens: int | None = Field(None, ge=0)
    temperature: float = Field(1.0, ge=0)
    top_p: float = Field(1.0, gt=0, le=1)
    top_k: int = Field(0, ge=0)
    min_p: float = Field(0.0, ge=0, le=1)
    repetition_penalty: float = Field(1.0, gt=0)
    n: int = Field(1, ge=1, le=MOST_TEXTS)
    seed: int | None = Field(None, ge=0, lt=2**63)
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] = []
    logprobs: int | None = Field(None, ge=0, le=SHOWN)
    echo: bool = False
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str | None = None

    @model_validator(mode="before")
    @classmethod
    def leave_out_what_changes_nothing(cls, fields: Any) -> Any:
        """Drops nulls, and neutral values of fields that there are not."""
        if not isinstance(fields, dict):
            return fields
        return {
            name: value
            for name, value in fields.items()
            if value is not None and not (name in NEUTRAL and value == NEUTRAL[name])
        }

    @property
    def strategy(self) -> Strategy:
        """How tokens are chosen."""
        return Strategy(
            self.temperature,
            self.top_k,
            self.top_p,
            self.min_p,
            self.repetition_penalty,
        )

    @property
    def prompts(self) -> list[str] | list[list[int]]:
        """The prompts as a list, whatever form they came in."""
        prompt: Any = self.prompt
        one = isinstance(prompt, str) or isinstance(prompt[0], int)
        return [prompt] if one else prompt

    @property
    def stops(self) -> list[str]:
        """The stop strings as a list."""
        return [self.stop] if isinstance(self.stop, str) else self.stop

"""The fields of a request to ``/v1/completions``, with their limits."""

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
    model_validator,
)

from gpt2.decoding.generation import SHOWN, Strategy
from gpt2.decoding.settings import NUM_SAMPLES, SAMPLING, SEED, Setting

TokenId = Annotated[int, Field(ge=0)]
Stop = Annotated[str, StringConstraints(min_length=1, max_length=200)]

# OpenAI's fields that this server does not support, with values that have no effect.
NEUTRAL = {
    "best_of": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logit_bias": {},
    "suffix": "",
}


class StreamOptions(BaseModel):
    """Options of a stream."""

    model_config = ConfigDict(extra="forbid", strict=True)
    include_usage: bool = False


def field_of(setting: Setting, **limits: Any) -> Any:
    """Returns a setting's field, with its default and its range."""
    ranges = {"ge": setting.least, "gt": setting.above, "le": setting.most}
    return Field(setting.default, **ranges, **limits)


FIELDS: Any = {setting.name: (setting.kind, field_of(setting)) for setting in SAMPLING}
Sampling: Any = create_model("Sampling", **FIELDS)


class CompletionRequest(Sampling):
    """The body of a request, with OpenAI's names and defaults.

    ``Sampling`` adds the settings of decoding. OpenAI lacks some of these settings.
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
    n: int = field_of(NUM_SAMPLES)
    seed: int | None = field_of(SEED, lt=2**63)
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] = Field([])
    logprobs: int | None = Field(None, ge=0, le=SHOWN)
    echo: bool = False
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str | None = None

    @model_validator(mode="before")
    @classmethod
    def leave_out_what_changes_nothing(cls, fields: Any) -> Any:
        """Drops nulls, and unsupported fields whose value has no effect."""
        if not isinstance(fields, dict):
            return fields
        return {
            name: value
            for name, value in fields.items()
            if value is not None and not (name in NEUTRAL and value == NEUTRAL[name])
        }

    @property
    def strategy(self) -> Strategy:
        """The settings for choosing tokens."""
        return Strategy(**self.model_dump(include=set(Sampling.model_fields)))

    @property
    def prompts(self) -> list[str] | list[list[int]]:
        """The prompts as a list, also for a single prompt."""
        prompt: Any = self.prompt
        one = isinstance(prompt, str) or isinstance(prompt[0], int)
        return [prompt] if one else prompt

    @property
    def stops(self) -> list[str]:
        """The stop strings as a list, also for a single string."""
        return [self.stop] if isinstance(self.stop, str) else self.stop

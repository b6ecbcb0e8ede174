"""The fields of a request to ``/v1/completions``, with their limits."""

import json
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from gpt2.decoding.generation import SHOWN, Strategy
from gpt2.decoding.settings import MATCHING, NUM_SAMPLES, SAMPLING, SEED, Setting
from gpt2.serving.neutral import (
    LACKING,
    LACKING_IN_FORMS,
    LACKING_IN_STREAMS,
    add_neutral,
    without_neutral,
)

TokenId = Annotated[int, Field(ge=0)]
Stop = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Fields(BaseModel):
    """Fields of a request, without those whose value asks for nothing."""

    lacking: ClassVar[dict[str, list[Any]]] = LACKING
    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        json_schema_extra=lambda schema, model: add_neutral(schema, model.lacking),
    )

    @model_validator(mode="before")
    @classmethod
    def leave_out_what_changes_nothing(cls, fields: Any) -> Any:
        """Drops fields whose value has no effect."""
        if not isinstance(fields, dict):
            return fields
        return without_neutral(fields, cls.model_fields, cls.lacking)


class StreamOptions(Fields):
    """Options of a stream."""

    lacking = LACKING_IN_STREAMS
    include_usage: bool = False


class StructuredOutputs(Fields):
    """The form of the texts, as vLLM names it; only an expression is supported."""

    lacking = LACKING_IN_FORMS
    regex: str | None = Field(None, max_length=MATCHING.most)


def field_of(setting: Setting, **limits: Any) -> Any:
    """Returns a setting's field, with its default and its range."""
    ranges = {"ge": setting.least, "gt": setting.above, "le": setting.most}
    return Field(setting.default, **ranges, **limits)


FIELDS: Any = {setting.name: (setting.kind, field_of(setting)) for setting in SAMPLING}
Sampling: Any = create_model("Sampling", __base__=Fields, **FIELDS)


class CompletionRequest(Sampling):
    """The body of a request, with OpenAI's names and defaults.

    ``Sampling`` adds the settings of decoding. OpenAI lacks some of these settings.
    """

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
    best_of: int = field_of(NUM_SAMPLES)
    seed: int | None = field_of(SEED)
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] = Field([])
    logprobs: int | None = Field(None, ge=0, le=SHOWN)
    echo: bool = False
    stream: bool = False
    stream_options: StreamOptions | None = None
    structured_outputs: StructuredOutputs | None = None
    user: str | None = None
    # Names of a client, which change nothing either.
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    request_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def refuse_half_characters(cls, fields: Any) -> Any:
        """Refuses half characters, which cannot be sent back."""
        try:
            if isinstance(fields, dict):
                json.dumps(fields, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            message = "half of a surrogate pair is no character"
            raise PydanticCustomError("surrogate", message) from None
        return fields

    @property
    def strategy(self) -> Strategy:
        """The settings for choosing tokens."""
        return Strategy(**self.model_dump(include=set(Sampling.model_fields)))

    @property
    def usage_wanted(self) -> bool:
        """Whether a stream shall end with the numbers of tokens."""
        return bool(self.stream_options and self.stream_options.include_usage)

    @property
    def pattern(self) -> str | None:
        """The expression that the texts shall match, or None."""
        return self.structured_outputs.regex if self.structured_outputs else None

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

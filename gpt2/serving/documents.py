"""The JSON objects that the server sends, as in OpenAI's interface."""

from typing import Any, Literal, NotRequired, TypedDict


class Usage(TypedDict):
    """Numbers of tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Logprobs(TypedDict):
    """For each token its name, its logprob, those of the likeliest, and its place."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class Choice(TypedDict):
    """A text, or a part of one."""

    index: int
    text: str
    logprobs: Logprobs | None
    finish_reason: Literal["stop", "length"] | None


class CompletionBody(TypedDict):
    """A completion, or a part of one in a stream."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: NotRequired[Usage | None]


class Card(TypedDict):
    """A model."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class Cards(TypedDict):
    """All models."""

    object: Literal["list"]
    data: list[Card]


class Health(TypedDict):
    """Sent while the server runs."""

    status: Literal["ok"]


class ErrorFields(TypedDict):
    """What an error is about."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None
    code: str | None


class ErrorBody(TypedDict):
    """An error."""

    error: ErrorFields


# For the description of each path.
ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorBody, "description": "The request is at fault."},
    "5XX": {"model": ErrorBody, "description": "The server is at fault."},
}
COMPLETION: dict[int | str, dict[str, Any]] = {
    200: {
        "model": CompletionBody,
        "description": "The texts; with `stream`, server-sent events of this object.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}

"""Errors in the format that OpenAI's clients expect."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from gpt2.checkpoint.context import ContextError
from gpt2.decoding.automata import PatternError
from gpt2.serving.documents import ErrorBody, ErrorFields
from gpt2.serving.scheduler import QueueFull

NO_JSON = "the body is not valid JSON"
RETRY_AFTER = {"Retry-After": "1"}  # seconds
HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    415: {"Accept": "application/json", "Accept-Encoding": "identity"},
    429: RETRY_AFTER,
    503: RETRY_AFTER,
}
PATHS = "/v1/completions, /v1/models, /health, /metrics and /openapi.json"


class ApiError(Exception):
    """An error for the client.

    Args:
        status: the HTTP status.
        message: one sentence.
        param: the request's field that caused the error.
        code: a short name for programs.
        headers: of the response.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code
        self.headers = headers or HEADERS.get(status)

    def body(self) -> ErrorBody:
        """Returns the error as OpenAI's JSON object."""
        fault: ErrorFields = {
            "message": self.message,
            "type": "server_error" if self.status >= 500 else "invalid_request_error",
            "param": self.param,
            "code": self.code,
        }
        return {"error": fault}

    def response(self) -> JSONResponse:
        """Returns the HTTP response."""
        return JSONResponse(self.body(), self.status, self.headers)


def as_api_error(error: BaseException) -> ApiError:
    """Turns any error into one for the client, without internal details."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ContextError):
        param = "max_tokens" if error.room else "prompt"
        code = "context_length_exceeded"
        return ApiError(400, str(error), param=param, code=code)
    if isinstance(error, PatternError):
        return ApiError(400, str(error), param="structured_outputs")
    if isinstance(error, QueueFull):
        message = "too many requests are waiting: try again in a moment"
        return ApiError(429, message, code="queue_full")
    message = "the text could not be finished: try again"
    return ApiError(503, message, code="generation_failed")


def invalid(error: RequestValidationError) -> ApiError:
    """Returns the error for the first invalid field of a request's body."""
    found = error.errors()[0]
    # The location starts with "body"; later parts may name alternatives of a type.
    param = next((part for part in found["loc"][1:] if isinstance(part, str)), None)
    if found["type"] == "json_invalid":
        return ApiError(400, NO_JSON)
    if found["type"] == "extra_forbidden":
        message = f"{'.'.join(map(str, found['loc'][1:]))} is not supported here"
        return ApiError(400, message, param=param, code="unsupported")
    message = found["msg"][:1].lower() + found["msg"][1:]
    return ApiError(400, f"{param or 'the body'}: {message}", param=param)


def not_json(request: Request) -> ApiError | None:
    """Returns the error for a body whose headers say that it is no plain JSON."""
    kind = request.headers.get("Content-Type", "")
    if packed := request.headers.get("Content-Encoding"):
        message = f"Content-Encoding {packed} is not supported: send the body plain"
        return ApiError(415, message, code="unsupported_media_type")
    if "json" in kind.partition(";")[0].lower():
        return None
    found = f", not {kind}" if kind else ""
    message = f"the header Content-Type must be application/json{found}"
    return ApiError(415, message, code="unsupported_media_type")


def not_there(request: Request, error: HTTPException) -> ApiError:
    """Returns the error for a path, a method or a body that cannot be used."""
    if error.status_code == 400:  # FastAPI could not read the body
        return not_json(request) or ApiError(400, NO_JSON)
    message = f"{request.method} {request.url.path}: {error.detail}"
    if error.status_code == 404:
        message += f"; this server has {PATHS}"
    return ApiError(error.status_code, message, headers=error.headers)


def handle_errors(app: FastAPI) -> None:
    """Makes the application answer every error in OpenAI's format."""

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return (not_json(request) or invalid(error)).response()

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        return not_there(request, error).response()

    @app.exception_handler(ApiError)
    async def _known(_: Request, error: ApiError) -> JSONResponse:
        return error.response()

    @app.exception_handler(Exception)
    async def _unknown(_: Request, __: Exception) -> JSONResponse:
        return ApiError(500, "the server made a mistake").response()

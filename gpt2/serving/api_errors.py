"""Errors in the format that OpenAI's clients expect."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from gpt2.checkpoint.context import ContextError
from gpt2.serving.scheduler import QueueFull

RETRY_AFTER = {"Retry-After": "1"}  # seconds


class ApiError(Exception):
    """An error for the client.

    Args:
        status: the HTTP status.
        message: one sentence.
        param: the request's field that caused the error.
        code: a short name for programs.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code

    def body(self) -> dict:
        """Returns the error as OpenAI's JSON object."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        return {
            "error": {
                "message": self.message,
                "type": kind,
                "param": self.param,
                "code": self.code,
            }
        }

    def response(self) -> JSONResponse:
        """Returns the HTTP response."""
        headers = RETRY_AFTER if self.status in (429, 503) else None
        return JSONResponse(self.body(), self.status, headers)


def as_api_error(error: BaseException) -> ApiError:
    """Turns any error into one for the client, without internal details."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ContextError):
        param = "max_tokens" if error.room else "prompt"
        code = "context_length_exceeded"
        return ApiError(400, str(error), param=param, code=code)
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
        return ApiError(400, "the body is not valid JSON")
    if found["type"] == "extra_forbidden":
        return ApiError(
            400, f"{param} is not supported here", param=param, code="unsupported"
        )
    message = found["msg"][:1].lower() + found["msg"][1:]
    return ApiError(400, f"{param or 'the body'}: {message}", param=param)


def handle_errors(app: FastAPI) -> None:
    """Makes the application answer every error in OpenAI's format."""

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return invalid(error).response()

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        message = f"{request.method} {request.url.path}: {error.detail}"
        return ApiError(error.status_code, message).response()

    @app.exception_handler(ApiError)
    async def _known(_: Request, error: ApiError) -> JSONResponse:
        return error.response()

    @app.exception_handler(Exception)
    async def _unknown(_: Request, __: Exception) -> JSONResponse:
        return ApiError(500, "the server made a mistake").response()

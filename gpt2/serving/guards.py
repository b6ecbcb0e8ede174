"""Checks every request's key and size first, and reads its path and method kindly."""

import hmac

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gpt2.serving.api_errors import ApiError

MOST_BYTES = 1_000_000
OPEN = ("/health",)  # answers without a key


class Guards:
    """Refuses requests without the key, and bodies over 1 MB.

    A slash too many in a path changes nothing. HEAD is answered like GET.

    Args:
        app: gets the accepted requests.
        api_key: None accepts requests without a key.
    """

    def __init__(self, app: ASGIApp, api_key: str | None) -> None:
        self._app, self._key = app, api_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes accepted requests on, and answers the others with an error."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        scope = plain(scope)
        try:
            self._check_key(scope)
            messages = [await whole_body(receive)]
        except ApiError as error:  # FastAPI's errors have another format
            return await error.response()(scope, receive, send)

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, replay, send)

    def _check_key(self, scope: Scope) -> None:
        if self._key is None or scope["path"] in OPEN:
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        scheme, _, key = given.partition(b" ")
        # The comparison's time must not show how many characters of a key are right.
        same = hmac.compare_digest(key.strip(), self._key.encode())
        if not same or scheme.lower() != b"bearer":
            message = "a valid API key is needed: Authorization: Bearer KEY"
            raise ApiError(401, message, code="invalid_api_key")


def plain(scope: Scope) -> Scope:
    """Returns a request whose method and path are among those of the application.

    The server still sees HEAD in its own scope, and so sends no body.
    """
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    path = scope["path"].rstrip("/") or "/"
    if not path.startswith("/v1/models/"):  # a model's name may be a folder
        path = path.replace("//", "/")
    return {**scope, "method": method, "path": path}


async def whole_body(receive: Receive) -> Message:
    """Returns the body as one message; raises ``ApiError`` if it is too long."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return message
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BYTES:
            raise ApiError(413, f"the body has more than {MOST_BYTES} bytes")
    return {"type": "http.request", "body": bytes(body), "more_body": False}

"""The key that clients have to send, where the server has one."""

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from gpt2.serving.errors import ApiError

OPEN = ("/health",)  # answers without a key


class KeyGuard:
    """Refuses requests without the key.

    Args:
        app: what comes next.
        api_key: None asks for none.
    """

    def __init__(self, app: ASGIApp, api_key: str | None) -> None:
        self._app, self._key = app, api_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what may pass."""
        if scope["type"] != "http" or scope["path"] in OPEN or self._knows_key(scope):
            return await self._app(scope, receive, send)
        message = "a valid API key is needed: Authorization: Bearer KEY"
        error = ApiError(401, message, code="invalid_api_key")
        return await error.response()(scope, receive, send)

    def _knows_key(self, scope: Scope) -> bool:
        if self._key is None:
            return True
        given = dict(scope["headers"]).get(b"authorization", b"")
        # In the same time for any wrong key: how much of it is right stays a secret.
        return hmac.compare_digest(given, b"Bearer " + self._key.encode())

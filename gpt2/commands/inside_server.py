"""Serves one page to this machine's browser."""

import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class PageServer(ThreadingHTTPServer):
    """Answers GET / with a page that is made anew for each request.

    Another site may give its own name this machine's address, and could then read the
    page. So the server answers only requests for names of this machine.

    Args:
        listener: an open port of ``HOST``.
        page: returns the page's HTML. It is called in one thread at a time.
    """

    daemon_threads = True

    def __init__(self, listener: socket.socket, page: Callable[[], str]) -> None:
        address = listener.getsockname()
        super().__init__(address, Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = HOST, address[1]
        self._page, self._lock = page, threading.Lock()

    @property
    def address(self) -> str:
        """The page's address."""
        return f"http://{HOST}:{self.server_port}/"

    def make_page(self) -> bytes:
        """Returns the page."""
        with self._lock:
            return self._page().encode()

    def serves(self, host: str) -> bool:
        """Whether a request's header ``Host`` names this server."""
        return host in (f"{HOST}:{self.server_port}", f"localhost:{self.server_port}")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Does nothing: the browser has closed the connection."""


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: PageServer
    server_version, sys_version = "gpt2", ""

    def do_GET(self) -> None:
        """Sends the page."""
        if not self.server.serves(self.headers.get("Host", "")):
            return self._send(HTTPStatus.FORBIDDEN, f"Open {self.server.address}")
        if self.path.partition("?")[0] != "/":
            return self._send(HTTPStatus.NOT_FOUND, f"Open {self.server.address}")
        self._send(HTTPStatus.OK, self.server.make_page(), "text/html")

    def do_HEAD(self) -> None:
        """Sends the headers alone."""
        self.do_GET()

    def _send(
        self, status: HTTPStatus, body: bytes | str, kind: str = "text/plain"
    ) -> None:
        if isinstance(body, str):
            body = f"{body}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Prints nothing."""

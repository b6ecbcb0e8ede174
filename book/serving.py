"""Serves the book on this machine and builds it again after each change."""

import functools
import threading
import webbrowser
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from watchfiles import watch

from book.pages import BOOK, BUILD, SRC, BookError
from book.render import build_pages
from course.registry import ROOT
from runtime.ctrl_c import leave_on_ctrl_c

PROGRESS = ROOT / ".course"


class Handler(SimpleHTTPRequestHandler):
    """Sends files, prints no log, and tells browsers not to cache."""

    def log_message(self, *args: object) -> None: ...

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


def serve(port: int, *, opens: bool) -> None:
    """Serves the book on 127.0.0.1 until Ctrl-C, with the passed steps marked.

    Raises:
        BookError: the first build fails.
        OSError: the port is taken.
    """
    build_pages(BUILD, shows_progress=True)
    handler = functools.partial(Handler, directory=str(BUILD))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        leave_on_ctrl_c()
        address = f"http://127.0.0.1:{server.server_port}"
        print(f"The book is at {address} until you press Ctrl-C.", flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        if opens:
            webbrowser.open(address)
        rebuild_on_change()


def rebuild_on_change() -> None:
    """Builds again when a page, the theme or the learner's progress changes."""
    with suppress(OSError):  # this user may not write here
        PROGRESS.mkdir(exist_ok=True)
    folders = [folder for folder in (SRC, BOOK / "theme", PROGRESS) if folder.exists()]
    for _ in watch(*folders):
        try:
            build_pages(BUILD, shows_progress=True)
        except BookError as error:
            print(error, flush=True)

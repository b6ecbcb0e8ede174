"""Serves the book on this machine and builds it again after each change."""

import functools
import os
import threading
import webbrowser
from contextlib import ExitStack, suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from watchfiles import watch

from book.pages import BOOK, BUILD, SRC, BookError
from book.render import build_pages
from course.folders import writable
from course.registry import ROOT
from runtime.ctrl_c import stoppable

PROGRESS = ROOT / ".course"


class Handler(SimpleHTTPRequestHandler):
    """Sends files, prints no log, and tells browsers not to cache."""

    def log_message(self, *args: object) -> None: ...

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


def serve(port: int, *, opens: bool) -> None:
    """Serves the book on 127.0.0.1 until Ctrl-C, with the passed steps marked.

    The pages are in a temporary folder if this user may not write in the course's.

    Raises:
        BookError: the first build fails.
        OSError: the port is taken.
    """
    with ExitStack() as stack:
        folder = BUILD
        if not writable(BUILD):
            folder = Path(stack.enter_context(TemporaryDirectory()))
        build_pages(folder, shows_progress=True)
        serve_folder(folder, port, opens=opens)


def serve_folder(folder: Path, port: int, *, opens: bool) -> None:
    """Serves a folder until Ctrl-C, and builds the book there after each change."""
    handler = functools.partial(Handler, directory=str(folder))
    with (
        ThreadingHTTPServer(("127.0.0.1", port), handler) as server,
        suppress(KeyboardInterrupt),
        stoppable(),
    ):
        address = f"http://127.0.0.1:{server.server_port}"
        print(f"The book is at {address} until you press Ctrl-C.", flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        if opens:
            webbrowser.open(address)
        rebuild_on_change(folder)
    click.echo(err=True, nl=os.isatty(2))  # after the terminal's ^C


def rebuild_on_change(folder: Path) -> None:
    """Builds again when a page, the theme or the learner's progress changes."""
    with suppress(OSError):  # this user may not write here
        PROGRESS.mkdir(exist_ok=True)
    sources = (SRC, BOOK / "theme", PROGRESS)
    for _ in watch(*filter(Path.exists, sources)):
        try:
            build_pages(folder, shows_progress=True)
        except BookError as error:
            print(error, flush=True)

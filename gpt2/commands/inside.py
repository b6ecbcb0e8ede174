"""``gpt2 inside``: shows every intermediate result of one text in a page."""

import os
import sys
import webbrowser
from contextlib import closing, suppress
from pathlib import Path

import click

from gpt2.checkpoint.loading import find_folder, need_gpt2
from gpt2.commands.command import Command
from gpt2.commands.inside_page import make_page
from gpt2.commands.inside_server import HOST, PageServer
from gpt2.commands.options import MODEL_NAME, OWN_FILES
from gpt2.commands.prompt import as_argument, open_start
from gpt2.commands.serve import listen
from gpt2.commands.terminal import note, write
from gpt2.learner.inside import Request
from gpt2.learner.inside_process import Source
from runtime.ctrl_c import stoppable

TEXT = "Tom has a dog."
LONGEST = 48  # tokens that a page can show
# Where the browser is on another machine, or where there is none.
CONTAINER = Path("/.dockerenv")
ELSEWHERE = ("SSH_CONNECTION", "CODESPACES", "REMOTE_CONTAINERS", "container")


@click.command(cls=Command)
@click.argument("sentence", metavar="[TEXT]", default=TEXT)
@MODEL_NAME
@click.option(
    "--mine",
    is_flag=True,
    help="Run your own code beside the solutions: every step that you have begun. The "
    "others are borrowed.",
)
@OWN_FILES
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="a free one",
    help="The port on this machine.",
)
@click.option("--open/--no-open", "opens", default=True, help="Show it in the browser.")
@click.option(
    "--save",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the page to FILE, and serve nothing.",
)
def inside(
    sentence: str,
    model: str,
    mine: bool,
    strict: bool,
    steps_dir: Path | None,
    port: int,
    opens: bool,
    save: Path | None,
) -> None:
    """Show what the model computes of TEXT, number by number, in a page.

    With --mine, the page shows where your numbers differ first, and which step makes
    them. Reload the page after a change of your code. Ctrl-C ends the command.
    """
    text = as_argument(sentence)
    check_text(model, text)
    # The process that traces has another current folder.
    place, folder = find_folder(model).resolve(), steps_dir and steps_dir.resolve()
    request = Request(f"{place}", text, mine, strict, f"{folder or ''}")
    if save:
        with closing(Source(request, note)) as source:
            save_page(save, page(text, source))
        write(f"{save}\n")
        return
    with listen(HOST, port) as listener, closing(Source(request, note)) as source:
        serve(PageServer(listener, lambda: page(text, source)), opens=opens)


def check_text(model: str, text: str) -> None:
    """Raises an error if the model is no GPT-2, or the text is empty or too long."""
    if not text:
        raise click.UsageError("there is nothing to show of an empty text.")
    start = open_start(model, text, 0)
    need_gpt2(start.checkpoint, "this command")
    if len(start.ids) > LONGEST:
        raise click.UsageError(
            f"a page shows at most {LONGEST} tokens: this text has {len(start.ids)}."
        )


def page(text: str, source: Source) -> str:
    """Returns the page, with the learner's files as they are now."""
    verdict, reference, given = source.data()
    if verdict:
        note(verdict)
    return make_page(text, verdict, reference, given)


def save_page(path: Path, html: str) -> None:
    """Writes the page; raises ``click.ClickException`` if that fails."""
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or f"{error}").lower()
        raise click.ClickException(f"{path} cannot be written: {reason}.") from error


def serve(server: PageServer, *, opens: bool) -> None:
    """Serves the page until Ctrl-C."""
    with server, suppress(KeyboardInterrupt), stoppable():
        write(f"The page is at {server.address} until you press Ctrl-C.\n")
        if opens and browser_is_here():
            webbrowser.open(server.address)
        server.serve_forever()
    click.echo(err=True, nl=os.isatty(2))  # after the terminal's ^C


def browser_is_here() -> bool:
    """Whether a browser of this machine can open a window."""
    if any(map(os.environ.get, ELSEWHERE)) or CONTAINER.exists():
        return False
    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform == "darwin" or any(map(os.environ.get, screens))

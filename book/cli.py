"""The commands of the program ``book``: serve, build and notebook."""

import sys
from importlib.util import find_spec
from pathlib import Path

import click

from book import serving
from book.pages import BUILD, BookError
from book.render import build_pages
from runtime.background import compile_in_background

NOTEBOOKS_NEED = "pixi run notebook, or uv run --extra notebook book notebook, does it"


@click.group(invoke_without_command=True)
@click.pass_context
def main(ctx: click.Context) -> None:
    """The book of the course. Without a command, serve the book and open it."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(serve)


@main.command()
@click.option("--to", type=click.Path(path_type=Path), default=BUILD, help="a folder")
def build(to: Path) -> None:
    """Make the pages, in book/build or elsewhere."""
    try:
        warnings = build_pages(to.resolve())
    except BookError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"The book cannot be made: {error}")
    print(*warnings, sep="\n", end="\n" * bool(warnings), file=sys.stderr)
    print(f"The book begins at {to / 'index.html'}")


@main.command()
@click.argument("chapter", required=False)
@click.option("--open/--no-open", "opens", default=True, help="show it in the browser")
def notebook(chapter: str | None, opens: bool) -> None:
    """Open the chapters' code in JupyterLab: all, or one, such as s08."""
    if not find_spec("jupyterlab"):
        sys.exit(f"JupyterLab is not installed here: {NOTEBOOKS_NEED}.")
    from book.jupyter import open_notebooks

    try:
        open_notebooks(chapter, opens=opens)
    except (BookError, OSError) as error:
        sys.exit(f"The notebooks cannot be opened: {str(error).rstrip('.')}.")


@main.command()
@click.option("--port", default=3000, show_default=True, help="0 takes a free one")
@click.option("--open/--no-open", "opens", default=True, help="show it in the browser")
def serve(port: int, opens: bool) -> None:
    """Build the book, serve it to this machine alone, build again on every change."""
    compile_in_background()  # for the steps, while the learner reads
    try:
        serving.serve(port, opens=opens)
    except (BookError, OSError) as error:
        sys.exit(f"The book cannot be served: {error}")

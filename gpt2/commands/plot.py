"""``gpt2 plot``: draws pictures of decoding, as SVG and PNG."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gpt2.commands.command import Command
from gpt2.commands.diversity import NEW_TOKENS, measure
from gpt2.commands.options import MODEL_NAME, SEED
from gpt2.commands.prompt import Start, as_argument, open_start
from gpt2.commands.terminal import note, write
from gpt2.decoding.measurements import Place, peaked_and_flat, seconds_per_token, walk
from gpt2.writer import Writer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLACES = 40  # searched for a peaked and a flat distribution
SAMPLES = 20  # texts at each temperature
POSITIONS = 256  # largest for which time is measured, if the context allows
STYLE: Any = {
    "svg.hashsalt": "gpt2",  # equal pictures give equal files
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


class Studio:
    """Draws pictures of one model and one prompt.

    Args:
        start: the model, the prompt, and the number of tokens in each sample.
        seed: the seed for sampling; None takes a new seed.
    """

    def __init__(self, start: Start, seed: int | None) -> None:
        self.start = start
        self.writer = self._open(seed, cache=True)

    def _open(self, seed: int | None, *, cache: bool) -> Writer:
        checkpoint = self.start.checkpoint
        return Writer(
            checkpoint, mine=False, cache=cache, device="cpu", seed=seed, note=note
        )

    def name(self, token: int) -> str:
        """Returns a token's label."""
        return self.writer.tokenizer.visible(token)

    def next_token(self) -> Figure:
        """Draws the likeliest tokens after the prompt."""
        from gpt2.commands import charts

        figure, axes = new_figure()
        place = walk(self.writer.engine, self.start.ids, 1)[0]
        charts.next_token(axes, place.logits, self.name)
        axes.set_title(self._after(place))
        return figure

    def on_both(self, draw: Callable[..., Any]) -> Figure:
        """Draws two charts: one where the model is sure, one where it is not."""
        figure, (left, right) = new_figure(columns=2)
        room = self.start.checkpoint.config.n_positions - len(self.start.ids)
        places = walk(self.writer.engine, self.start.ids, min(PLACES, room + 1))
        for axes, place in zip((left, right), peaked_and_flat(places), strict=True):
            draw(axes, place.logits, self.name)
            axes.set_xlabel(self._after(place))
        return figure

    def diversity(self) -> Figure:
        """Draws the diversity of texts at each temperature."""
        from gpt2.commands import charts

        figure, axes = new_figure()
        rows = measure(self.writer, self.start.ids, SAMPLES, self.start.count)
        charts.diversity(axes, list(rows))
        return figure

    def cache(self) -> Figure:
        """Draws the time for a token with a cache and without."""
        from gpt2.commands import charts

        figure, axes = new_figure()
        count = min(POSITIONS, self.start.checkpoint.config.n_positions) - 1
        engines = {
            "without a cache": self._open(0, cache=False).engine,
            "with a cache": self.writer.engine,
        }
        times = {name: seconds_per_token(engines[name], count) for name in engines}
        charts.seconds_per_token(axes, times)
        return figure

    def _after(self, place: Place) -> str:
        """Returns a label with the last words before a place."""
        from gpt2.commands.charts import label

        words = self.writer.tokenizer.decode(place.ids).split()
        cut = "… " if len(words) > 4 else ""
        return label(f"after “{cut}{' '.join(words[-4:])}”")

    def pictures(self) -> dict[str, Callable[[], Figure]]:
        """Returns a drawing function for each kind of picture."""
        from gpt2.commands import charts

        return {
            "next-token": self.next_token,
            "temperature": lambda: self.on_both(charts.temperature),
            "top-k": lambda: self.on_both(charts.top_k),
            "top-p": lambda: self.on_both(charts.top_p),
            "diversity": self.diversity,
            "cache": self.cache,
        }


KINDS = ("next-token", "temperature", "top-k", "top-p", "diversity", "cache")


@click.command(cls=Command)
@click.argument("kind", type=click.Choice([*KINDS, "all"]), metavar="KIND")
@click.argument("prompt", default="Once upon a time")
@MODEL_NAME
@SEED
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    show_default="this one",
    help="Where KIND.svg and KIND.png are written.",
)
def plot(kind: str, prompt: str, model: str, seed: int | None, folder: Path) -> None:
    """Draw a picture of how a model continues PROMPT.

    \b
    next-token   how likely the next tokens are
    temperature  how it changes a sure and an unsure distribution
    top-k        what it keeps of both distributions
    top-p        what it keeps of both distributions
    diversity    how texts differ as the temperature rises
    cache        the time for a token, with the cache and without
    all          every one of these
    """
    if find_spec("matplotlib") is None:
        raise click.ClickException(
            "the pictures need matplotlib, and it is not installed: python -m pip "
            "install matplotlib"
        )
    start = open_start(model, as_argument(prompt), None, NEW_TOKENS)
    folder.mkdir(parents=True, exist_ok=True)
    studio = Studio(start, seed)
    for name in KINDS if kind == "all" else [kind]:
        save(studio.pictures()[name], folder / name)
    if kind in ("diversity", "all"):
        note(f"seed {studio.writer.seed}")


def new_figure(columns: int = 1) -> tuple[Figure, Any]:
    """Returns a figure and its axes; an array of axes for several columns."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5 * columns, 4.5), layout="constrained")
    return figure, figure.subplots(1, columns, sharey=True)


def save(draw: Callable[[], Figure], stem: Path) -> None:
    """Draws a picture, writes SVG and PNG files, and prints both paths."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        figure = draw()
        for suffix, details in {".svg": {"Date": None}, ".png": {}}.items():
            path = stem.with_name(stem.name + suffix)
            try:
                figure.savefig(path, metadata=details, dpi=150)
            except OSError as error:  # on a full disk its name is not in the error
                message = f"{path} cannot be written: {error.strerror}"
                raise click.ClickException(message) from error
            write(f"{path}\n")

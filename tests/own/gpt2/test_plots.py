"""The content of the pictures, and the files that the command writes."""

from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib import style
from matplotlib.figure import Figure

from gpt2.commands import charts
from gpt2.commands.diversity import Diversity
from gpt2.commands.plot import KINDS, plot
from gpt2.decoding.measurements import (
    Place,
    entropy,
    peaked_and_flat,
    seconds_per_token,
    walk,
)
from tests.own.gpt2.samples import TableEngine
from tests.own.gpt2.test_cli_refusals import usage_error

CHANCES = np.array([0.1, 0.5, 0.25, 0.15])
LOGITS = np.log(CHANCES)
NAMES = "abcd"
ORDER = ["b", "c", "d", "a"]  # from the likeliest to the least likely


@pytest.fixture
def axes():
    """Returns an empty chart in matplotlib's default style."""
    with style.context("default"):
        yield Figure().subplots()


def heights(axes):
    """Returns the bars' heights."""
    return [bar.get_height() for bar in axes.patches]


def ticks(axes):
    """Returns the labels under the bars."""
    return [tick.get_text() for tick in axes.get_xticklabels()]


def test_next_tokens_by_falling_probability(axes):
    charts.next_token(axes, LOGITS, NAMES.__getitem__, count=3)
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], [50, 25, 15])
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ORDER[:3]
    assert axes.yaxis_inverted()  # the first bar is on top
    assert [text.get_text() for text in axes.texts] == ["50.0 %", "25.0 %", "15.0 %"]


def test_temperatures_side_by_side(axes):
    charts.temperature(axes, LOGITS, NAMES.__getitem__, temperatures=(1.0, 0.5))
    squares = CHANCES**2 / (CHANCES**2).sum()
    expected = np.concatenate([CHANCES, squares])[[1, 2, 3, 0, 5, 6, 7, 4]]
    np.testing.assert_allclose(heights(axes), 100 * expected)
    assert ticks(axes) == ORDER
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["temperature 1", "temperature 0.5"]


@pytest.mark.parametrize(
    ("draw", "value", "kept", "share"),
    [
        (charts.top_k, 1, 1, "50%"),
        (charts.top_k, 3, 3, "90%"),
        (charts.top_p, 0.5, 1, "50%"),
        (charts.top_p, 0.6, 2, "75%"),
        (charts.top_p, 1.0, 4, "100%"),
    ],
)
def test_kept_tokens_have_another_colour(axes, draw, value, kept, share):
    draw(axes, LOGITS, NAMES.__getitem__, value)
    np.testing.assert_allclose(heights(axes), [50, 25, 15, 10])
    colors = [bar.get_facecolor() for bar in axes.patches]
    assert len(set(colors[:kept])) == 1
    assert colors[0] not in colors[kept:]
    assert axes.get_title() == f"keeps {kept} of 4, {share} of the probability"


def test_top_p_adds_up(axes):
    charts.top_p(axes, LOGITS, NAMES.__getitem__, 0.6)
    sums, threshold = axes.lines
    np.testing.assert_allclose(sums.get_ydata(), [50, 75, 90, 100])
    assert set(threshold.get_ydata()) == {60}


def test_diversity_by_temperature(axes):
    rows = [Diversity(0.0, 20, 1, 0.05, None), Diversity(1.0, 20, 15, 0.5, 0.75)]
    charts.diversity(axes, rows)
    different, pairs = axes.lines
    np.testing.assert_allclose(different.get_xydata(), [[0, 5], [1, 75]])
    np.testing.assert_allclose(pairs.get_ydata(), [np.nan, 75])


def test_time_in_milliseconds(axes):
    charts.seconds_per_token(axes, {"slow": [0.1, 0.2], "fast": [0.01, 0.01]})
    slow, fast = axes.lines
    np.testing.assert_allclose(slow.get_xydata(), [[1, 100], [2, 200]])
    assert [fast.get_label(), slow.get_label()] == ["fast", "slow"]


def test_a_dollar_is_no_formula(axes):
    charts.next_token(axes, LOGITS, ["$x$", "$", "$$", "a"].__getitem__)
    axes.figure.savefig("/dev/null", format="svg")
    shown = [tick.get_text() for tick in axes.get_yticklabels()]
    assert shown == [r"\$", r"\$\$", "a", r"\$x\$"]


# Measurements


def test_entropy_in_bits():
    assert entropy(np.zeros(8)) == pytest.approx(3)
    assert entropy(np.array([0.0, -np.inf])) == 0


def test_a_walk_follows_the_likeliest_tokens():
    engine = TableEngine()
    places = walk(engine, [1, 2], 4)
    assert [len(place.ids) for place in places] == [2, 3, 4, 5]
    for place in places:
        np.testing.assert_allclose(
            place.logits, engine.logits(np.array([place.ids]))[0]
        )
    for place, after in pairwise(places):
        assert after.ids == [*place.ids, place.logits.argmax()]


def test_peaked_and_flat_are_the_quarters():
    sharpness = [5, 1, 0, 3, 2, 4, 6, 7]
    places = [Place([n], n * np.arange(4.0)) for n in sharpness]
    peaked, flat = peaked_and_flat(places)
    assert (peaked.ids, flat.ids) == ([5], [2])
    assert peaked_and_flat(places[:1]) == (places[0], places[0])


def test_seconds_for_every_length():
    seconds = seconds_per_token(TableEngine(), 5, repeats=1)
    assert len(seconds) == 5
    assert all(value > 0 for value in seconds)


# The command


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_written_as_svg_and_png(run, table, tmp_path, kind):
    folder = tmp_path / "new" / "pictures"
    result = run(kind, "Once upon", "--folder", str(folder), command=plot)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{folder / kind}.svg\n{folder / kind}.png\n"
    root = ElementTree.parse(folder / f"{kind}.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (folder / f"{kind}.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_picture_is_the_same_file(run, table, tmp_path):
    texts = []
    for name in ("a", "b"):
        folder = tmp_path / name
        arguments = ("diversity", "Once", "--seed", "3", "--folder", str(folder))
        run(*arguments, command=plot)
        texts.append((folder / "diversity.svg").read_text())
    assert texts[0] == texts[1]


def test_all_pictures_at_once_and_a_prompt_that_fills_the_context(run, table, tmp_path):
    arguments = ("all", "!" * 31, "--folder", str(tmp_path))
    result = run(*arguments, command=plot)
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 2 * len(KINDS)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("pie",),
        ("next-token", "Once", "--folder", __file__),
        ("next-token", "!" * 32),
        ("next-token", "caf\udce9"),
        ("next-token", "--model", "gtp2"),
    ],
)
def test_bad_use(run, arguments):
    assert usage_error(run(*arguments, command=plot))


def test_without_matplotlib(run, monkeypatch):
    monkeypatch.setattr("gpt2.commands.plot.find_spec", lambda _: None)
    result = run("next-token", command=plot)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: the pictures need matplotlib")
    assert len(result.stderr.splitlines()) == 1

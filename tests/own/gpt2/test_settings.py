"""Every setting of decoding works in every interface; a forgotten filter fails."""

import inspect
import json
import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import click
import numpy as np
import pytest

from gpt2.commands.chat import chat
from gpt2.commands.cli import OTHERS, continue_text
from gpt2.commands.command import HELP_SECTIONS
from gpt2.commands.compare import WAYS
from gpt2.decoding.beams import Beams
from gpt2.decoding.errors import NoNumbersError
from gpt2.decoding.generation import Strategy, choose
from gpt2.decoding.settings import BEAM_SEARCH, CONTRAST, SAMPLING, SECTIONS, Setting
from solutions.encore_sampling import next_token_probabilities
from tests.own.packages import needed

LOGITS, SEEN = np.random.default_rng(7).normal(0, 2, 60), [3, 41]
COMMANDS = {"": continue_text, **OTHERS}

sampling = pytest.mark.parametrize("setting", SAMPLING, ids=lambda own: own.name)
usual = pytest.mark.parametrize(
    ("setting", "value"),
    [(own, value) for own in SAMPLING for value in own.tried if value != own.default],
    ids=lambda value: value.name if isinstance(value, Setting) else f"{value:g}",
)
every = pytest.mark.parametrize(
    "setting", [*SAMPLING, *BEAM_SEARCH, *CONTRAST], ids=lambda own: own.name
)


def values_around(setting: Setting) -> Iterator[tuple[float, bool]]:
    """Returns values at a range's edges and beyond, and whether the range has them."""
    step = 1 if setting.kind is int else 0.01
    if setting.least is not None:
        yield from [(setting.least, True), (setting.least - step, False)]
    if setting.above is not None:
        yield from [(setting.above, False), (setting.above + step, True)]
    if setting.most is not None:
        yield from [(setting.most, True), (setting.most + step, False)]
    if setting.kind is float:
        yield from [(math.nan, False), (math.inf, False)]


def test_the_sampling_encore_takes_exactly_these() -> None:
    parameters = inspect.signature(next_token_probabilities).parameters.values()
    taken = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert taken == {own.name: own.default for own in SAMPLING}


@usual
def test_each_changes_the_probabilities(setting: Setting, value: Any) -> None:
    unchanged = Strategy().probabilities(LOGITS, SEEN)
    changed = Strategy(**{setting.name: value}).probabilities(LOGITS, SEEN)
    assert changed.sum() == pytest.approx(1)
    assert np.abs(changed - unchanged).max() > 1e-4


@usual
def test_only_a_penalty_changes_the_likeliest(setting: Setting, value: Any) -> None:
    logits = LOGITS.copy()
    logits[SEEN[0]] = logits.max() * 1.01  # a token in the text is the likeliest by 1 %
    chosen = Strategy(**{setting.name: value}).probabilities(logits, SEEN).argmax()
    assert bool(chosen != SEEN[0]) is setting.penalty


@usual
@pytest.mark.parametrize("scale", [1.0, -1.0])
def test_greedy_chooses_the_likeliest_of_all_the_filters(setting, value, scale) -> None:
    others = {own.name: own.tried[0] for own in SAMPLING}
    settings = others | {setting.name: value, "temperature": 0}
    logits = LOGITS * scale
    logits[SEEN[0]] = logits.max() + 0.01
    expected = next_token_probabilities(logits, SEEN, **settings).argmax()
    greedy = Strategy(**settings)
    assert greedy.likeliest(logits, SEEN) == expected
    assert greedy.probabilities(logits, SEEN).argmax() == expected


@sampling
def test_a_description_has_it(setting: Setting) -> None:
    value = setting.tried[-1]
    description = Strategy(**{setting.name: value}).describe()
    assert description[setting.name] == value
    greedy = Strategy(**{setting.name: value, "temperature": 0}).describe()
    assert (setting.name in greedy) is setting.penalty


def test_a_description_of_a_search_has_them() -> None:
    settings: dict[str, Any] = {own.name: own.most for own in BEAM_SEARCH}
    assert Beams(**settings).describe() == {"name": "beam search", **settings}


@sampling
def test_compare_shows_it(setting: Setting) -> None:
    shown = {getattr(way, setting.name, None) for way in WAYS.values()}
    assert set(setting.tried) <= shown


@every
def test_the_commands_have_it_in_its_section(setting: Setting) -> None:
    (title,) = [title for title, own in SECTIONS.items() if setting in own]
    commands = [continue_text, chat] if setting in SAMPLING else [continue_text]
    for command in commands:
        text = command.get_help(click.Context(command, terminal_width=200))
        section = text.partition(f"{title}:\n")[2].partition("\n\n")[0]
        assert f"{setting.flag} {setting.metavar}" in section
        assert setting.help in section


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_a_section_of_the_help(name: str) -> None:
    options = {p.name for p in COMMANDS[name].params if isinstance(p, click.Option)}
    assert options <= {name for names in HELP_SECTIONS.values() for name in names}


@every
def test_the_command_refuses_what_is_out_of_range(setting: Setting) -> None:
    (option, *_) = [p for p in continue_text.params if setting.flag in p.opts]
    for value, fits in values_around(setting):
        try:
            option.type_cast_value(click.Context(continue_text), str(value))
        except click.BadParameter:
            assert not fits, value
        else:
            assert fits, value


@sampling
def test_the_api_has_it_with_the_same_range(setting: Setting) -> None:
    pydantic = needed("pydantic")
    from gpt2.serving.neutral import OWN
    from gpt2.serving.schema import CompletionRequest

    start = {"model": "m", "prompt": "p"}
    assert getattr(CompletionRequest(**start).strategy, setting.name) == setting.default
    for value, fits in values_around(setting):
        if value in OWN.get(setting.name, ()):
            continue  # asks for nothing
        body = json.dumps(start | {setting.name: value})
        try:
            request = CompletionRequest.model_validate_json(body)
        except pydantic.ValidationError:
            assert not fits, value
        else:
            assert fits, value
            assert getattr(request.strategy, setting.name) == value


TINY_TO_HUGE = (0.0, -0.0, 5e-324, 1e-308, 1e-200, 1e-30, 0.001, 1.0, 1000.0, 1e308)


def allowed(setting: Setting, value: float) -> bool:
    """Whether the command accepts the value."""
    (option, *_) = [p for p in continue_text.params if setting.flag in p.opts]
    try:
        option.type_cast_value(click.Context(continue_text), str(value))
    except click.BadParameter:
        return False
    return True


@pytest.mark.parametrize("scale", [1e-3, 1, 1e3, 1e30])
def test_every_value_that_is_allowed_gives_probabilities(scale: float) -> None:
    """No two values together overflow, and none makes a number that is none."""
    numbers = [own for own in SAMPLING if own.kind is float]
    values = [[v for v in TINY_TO_HUGE if allowed(own, v)] for own in numbers]
    names = [own.name for own in numbers]
    for numbers_of in product(*values):
        chosen: dict[str, Any] = dict(zip(names, numbers_of, strict=True))
        strategy = Strategy(**chosen)
        with np.errstate(over="raise", invalid="raise"):
            probabilities = strategy.probabilities(LOGITS * scale, SEEN)
        assert probabilities.sum() == pytest.approx(1), chosen


def test_the_coldest_temperature_is_greedy() -> None:
    for temperature in (5e-324, 1e-308, 1e-30):
        probabilities = Strategy(temperature=temperature).probabilities(LOGITS, SEEN)
        assert probabilities[LOGITS.argmax()] == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("temperature", [0, 1])
@pytest.mark.parametrize("look", [True, False])
def test_a_model_without_numbers_is_named(bad, temperature, look) -> None:
    logits = np.full(60, bad) if bad < 0 else np.where(np.arange(60) == 7, bad, LOGITS)
    with pytest.raises(NoNumbersError, match="weights are damaged"):
        choose(
            logits,
            SEEN,
            Strategy(temperature=temperature),
            np.random.default_rng(),
            look=look,
        )

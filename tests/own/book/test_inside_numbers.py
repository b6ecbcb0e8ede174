"""The arithmetic of the page Inside against Python's, stage by stage."""

import math
import re
from typing import Any

import numpy as np
import pytest

from book import play
from book.inside import look_inside, streams
from book.lab.sentence import SENTENCE, guesses
from book.view import stages
from tests.own.book.inside_trace import Arrays, arrays, rounded_weights, sent

OWN = "Lily saw a big bird. The bird"
MAKE = """
  const plain = ({ shape, values }) =>
    ({ shape, values: Array.from(values, (x) => (x === -Infinity ? null : x)) });
  const show = (trace) => ({
    ...trace,
    arrays: Object.fromEntries(
      Object.entries(trace.arrays).map(([name, array]) => [name, plain(array)])),
  });
  const compute = (ids) => {
    window.model ??= new lab.model.GPT2(lab.weights);
    const tokenizer = new lab.tokenizer.Tokenizer(lab.recording);
    return lab.trace.compute(window.model, tokenizer, ids);
  };
"""
COMPUTED = f"(ids) => {{ {MAKE} return show(compute(ids)); }}"
RECORDED = f"() => {{ {MAKE} return show(lab.trace.recorded(lab.sentence)); }}"
SENT = f"(sent) => {{ {MAKE} return show(lab.trace.read(sent)); }}"
EXPLAIN = f"""([ids, cells]) => {{ {MAKE}
  const trace = compute(ids);
  return cells.map((cell) => lab.sums.explain(trace, cell, window.model));
}}"""


def read(shown: dict[str, Any]) -> Arrays:
    """The arrays of a trace that the page has returned."""
    found = {}
    for name, array in shown["arrays"].items():
        values = [-np.inf if x is None else x for x in array["values"]]
        found[name] = np.reshape(values, array["shape"])
    return found


@pytest.fixture(scope="module")
def own() -> Arrays:
    """Python's results for a text of the reader, with the page's rounded weights."""
    return arrays(OWN, rounded_weights())


@pytest.fixture(scope="module")
def computed(js: Any) -> dict[str, Any]:
    return js(COMPUTED, play.encode(OWN))


@pytest.mark.parametrize("stage", stages(), ids=lambda stage: stage["name"])
def test_every_stage_equals_python(computed: Any, own: Arrays, stage: Any) -> None:
    found = read(computed)
    for pattern in stage["arrays"]:
        for block in range(4):
            name = pattern.replace("*", str(block))
            np.testing.assert_allclose(found[name], own[name], rtol=0, atol=1e-6)


def test_a_trace_has_exactly_the_arrays_of_the_contract(
    computed: Any, own: Arrays
) -> None:
    assert read(computed).keys() == own.keys()
    assert computed["tokens"] == play.tokens(OWN)


def test_guesses_equal_python(computed: Any, own: Arrays) -> None:
    state = rounded_weights()
    for found, stream in zip(computed["guesses"], streams(OWN, state), strict=True):
        for row, expected in zip(found, guesses(stream, state), strict=True):
            assert [x["id"] for x in row] == [x["id"] for x in expected]
            shares = [x["p"] for x in expected]
            assert [x["p"] for x in row] == pytest.approx(shares, abs=2e-6)


def test_recording_is_exact_without_weights(js: Any) -> None:
    shown = js(RECORDED)
    found, exact = read(shown), arrays(SENTENCE, play.trained())
    assert found.keys() == exact.keys()
    for name, expected in exact.items():
        size = np.abs(expected[np.isfinite(expected)]).max()
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=2e-4 * size)
    last = shown["guesses"][-1][-1][0]
    assert (last["token"], last["p"]) == pytest.approx(play.next_tokens(SENTENCE)[0])


def test_a_trace_of_python_is_read(js: Any, own: Arrays) -> None:
    found = read(js(SENT, sent(OWN, own)))
    assert found.keys() == own.keys()
    for name, expected in own.items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-6, atol=1e-6)


def evaluated(text: str) -> float:
    """The value of a sum as the page writes it, such as ``0.24 · 4.00 + 0.76 · 1``."""
    code = text.replace("·", "*").replace("−", "-").replace("^", "**")
    code = re.sub(r"√(\d+)", r"sqrt(\1)", code).replace("³", "**3")
    names = {"sqrt": math.sqrt, "tanh": math.tanh, "e": math.e}
    return eval(code, {"__builtins__": {}}, names)


def cells_of(pattern: str, own: Arrays) -> list[dict[str, Any]]:
    """Some cells of the arrays of a name, in all blocks."""
    rng = np.random.default_rng(1)
    found = []
    for block in range(4):
        name = pattern.replace("*", str(block))
        for _ in range(5):
            *head, row, column = (int(rng.integers(n)) for n in own[name].shape)
            column = min(column, row) if head else column  # not the future
            at = {"row": row, "column": column, "head": head[0] if head else None}
            found.append({"name": name, **at})
    return found


def value(own: Arrays, cell: dict[str, Any]) -> float:
    head = () if cell["head"] is None else (cell["head"],)
    return float(own[cell["name"]][(*head, cell["row"], cell["column"])])


WRITTEN_OUT = ["ln_1", "ln_2", "scores", "shares", "mixed", "mid", "active", "out"]


@pytest.mark.parametrize("name", [*(f"h.*.{n}" for n in WRITTEN_OUT), "ln_f", "h.0.in"])
def test_a_sum_that_is_written_out_is_right(js: Any, own: Arrays, name: str) -> None:
    cells = cells_of(name, own)
    found = js(EXPLAIN, [play.encode(OWN), cells])
    for cell, said in zip(cells, found, strict=True):
        expected = value(own, cell)
        terms, result = said["sum"].rsplit(" = ", 1)
        assert said["value"] == pytest.approx(expected, abs=1e-6)
        assert evaluated(result) == pytest.approx(expected, abs=0.0051)
        assert evaluated(terms) == pytest.approx(expected, rel=0.02, abs=0.02)


def test_a_part_of_the_mix_is_share_times_value(js: Any, own: Arrays) -> None:
    cell = {"name": "h.1.parts", "head": 2, "row": 1, "column": 130, "asking": 4}
    (said,) = js(EXPLAIN, [play.encode(OWN), [cell]])
    expected = own["h.1.shares"][2, 4, 1] * own["h.1.value"][1, 130]
    assert said["value"] == pytest.approx(expected, abs=1e-6)


PRODUCTS = {
    "query": ("attn.c_attn", "ln_1", 0),
    "key": ("attn.c_attn", "ln_1", 224),
    "value": ("attn.c_attn", "ln_1", 448),
    "attn": ("attn.c_proj", "mixed", 0),
    "hidden": ("mlp.c_fc", "ln_2", 0),
    "mlp": ("mlp.c_proj", "active", 0),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_product_names_its_row_and_its_largest_terms(
    js: Any, own: Arrays, name: str
) -> None:
    layer, source, start = PRODUCTS[name]
    cells = cells_of(f"h.*.{name}", own)
    for cell, said in zip(cells, js(EXPLAIN, [play.encode(OWN), cells]), strict=True):
        at = cell["name"].removesuffix(name)
        number = start + cell["column"]
        weights = rounded_weights()[f"{at}{layer}.weight"][number]
        terms = weights * own[f"{at}{source}"][cell["row"]]
        largest = terms[np.argsort(-np.abs(terms))[:3]]
        assert f"row {number} of {at}{layer}" in said["sum"]
        shown = re.search(r"largest: (.*?)\. The bias: (.*)\.$", said["note"])
        assert shown
        products = [evaluated(term) for term in shown[1].split(", ")]
        np.testing.assert_allclose(products, largest, rtol=0.02, atol=0.004)
        bias = play.trained()[f"{at}{layer}.bias"][number]
        assert evaluated(shown[2]) == pytest.approx(float(bias), abs=0.0051)


def test_what_lights_up_is_what_went_in(js: Any) -> None:
    """The mix of values of token 3 in head 1 needs four shares and four values."""
    cell = {"name": "h.2.mixed", "head": None, "row": 3, "column": 60}
    (said,) = js(EXPLAIN, [play.encode(OWN), [cell]])
    shares, values, _ = said["from"]
    assert shares == {"name": "h.2.shares", "rows": [3, 4], "columns": [0, 4]}
    assert values == {"name": "h.2.value", "rows": [0, 4], "columns": [60, 61]}


def test_the_future_is_hidden(js: Any) -> None:
    cells = [
        {"name": f"h.0.{n}", "head": 0, "row": 1, "column": 2}
        for n in ("masked", "shares")
    ]
    masked, share = js(EXPLAIN, [play.encode(OWN), cells])
    assert "hidden" in masked["sum"]
    assert share["value"] == 0
    assert "Hidden" in share["sum"]


def test_there_is_what_the_page_asks_the_reader_to_find() -> None:
    layers = look_inside("Tom has a dog. Sue has a cat. Tom has a")
    tokens = play.tokens("Tom has a dog. Sue has a cat. Tom has a")
    animals = [tokens.index(" dog"), tokens.index(" cat")]
    shares = layers[-1].shares[:, -1, animals].sum(axis=-1)
    second, highest = sorted(shares)[-2:]
    assert highest > 0.8
    assert second < 0.5
    final = [row[0]["id"] for row in guesses(streams(SENTENCE)[-1])]
    first = [row[0]["id"] for row in guesses(streams(SENTENCE)[1])]
    has = play.tokens(SENTENCE).index(" has")
    assert first[has] == final[has]
    assert first[-1] != final[-1]

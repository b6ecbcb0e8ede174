"""Compiled graphs on disk: complete ones are read, damaged ones are compiled again."""

import time
from dataclasses import dataclass

import numpy as np
import pytest
from max.driver import CPU, Buffer

from gpt2.engine import graph_file
from gpt2.engine.cache import Cache
from gpt2.engine.engines import Engine
from runtime import compilation_cache, compiled_graphs
from tests.own.gpt2.test_engine import CONFIG, WEIGHTS


class Made:
    """A fake compiled graph that writes a few bytes."""

    engine_model = object()

    def export_mef(self, path):
        path.write_bytes(b"a graph")


@dataclass
class GPU:
    """A fake accelerator; like MAX's, it does not print its kind."""

    architecture_name: str
    is_host = False

    def __str__(self):
        return "Device(type=gpu,id=0)"


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("MODULAR_CACHE_DIR", str(tmp_path))
    return tmp_path


def load(make=Made, on_compile=None):
    return graph_file.load_cached_model(CONFIG, WEIGHTS, CPU(), make, on_compile)


def must_not_compile():
    raise AssertionError("compiled again")


def logits(model):
    ids, cache, last = np.array([[1, 2]]), Cache(CONFIG, 1, CPU()), np.array([1])
    arrays = ids, cache.positions(2), cache.mask(2), last
    given = map(Buffer.from_numpy, arrays)
    return model(*given, *cache.past())[0].to_numpy()[:, 0]


def test_a_kept_graph_is_read_and_gives_the_same():
    engine = Engine(CONFIG, WEIGHTS)
    expected = engine.prefill(np.array([[1, 2]]))
    np.testing.assert_array_equal(logits(load(must_not_compile)), expected)


@pytest.mark.parametrize("damage", [b"", b"not a graph", "half", "middle"])
def test_a_damaged_graph_is_made_again(folder, monkeypatch, damage):
    with monkeypatch.context() as usual:
        usual.delenv("MODULAR_CACHE_DIR")
        Engine(CONFIG, WEIGHTS)
        whole = graph_file.graph_path(CONFIG, CPU()).read_bytes()
    if damage == "half":
        damage = whole[: len(whole) // 2]
    elif damage == "middle":
        damage = whole[:1000] + bytes(1000) + whole[2000:]
    path = graph_file.graph_path(CONFIG, CPU())
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    assert load() is Made.engine_model
    assert [p.read_bytes() for p in path.parent.iterdir()] == [b"a graph"]


def test_a_folder_that_cannot_be_written_only_costs_time(folder):
    (folder / "gpt2-on-max").write_text("a file where the folder should be")
    assert load() is Made.engine_model


def test_other_sizes_devices_sources_and_processors_are_other_graphs(monkeypatch):
    paths = {graph_file.graph_path(CONFIG, CPU())}
    other = type(CONFIG)(n_layer=CONFIG.n_layer + 1)
    paths.add(graph_file.graph_path(other, CPU()))
    for kind in ("sm_90a", "gfx942"):
        paths.add(graph_file.graph_path(CONFIG, GPU(kind)))
    monkeypatch.setattr(graph_file, "sources", lambda: "another model")
    paths.add(graph_file.graph_path(CONFIG, CPU()))
    monkeypatch.setattr(compilation_cache, "processor", lambda: "another processor")
    paths.add(graph_file.graph_path(CONFIG, CPU()))
    assert len(paths) == 6


def test_only_a_long_compile_is_announced(folder, monkeypatch):
    said = []

    def slow():
        time.sleep(0.3)
        return Made()

    load(slow, said.append)
    assert said == []
    monkeypatch.setattr(compiled_graphs, "PATIENCE", 0.05)
    load(slow, said.append)
    (line,) = said
    assert line.startswith("first run on this machine: compiling, about")

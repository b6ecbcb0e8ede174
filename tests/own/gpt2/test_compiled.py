"""Compiled graphs on disk: complete ones are read, damaged ones are compiled again."""

import shutil
import time
from dataclasses import dataclass

import numpy as np
import pytest
from max.driver import CPU, Buffer

from gpt2.engine import compiling, graph_file
from gpt2.engine.engines import Engine
from gpt2.engine.kernel_cache import KernelCache
from gpt2.engine.kernel_operations import KERNELS
from gpt2.engine.max_cache import MaxCache
from gpt2.engine.precision import PrecisionError
from runtime import compilation_cache, compiled_graphs
from tests.own.gpt2.test_engine import CONFIG, GOLDEN, NEAR, WEIGHTS, greedy


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


@pytest.fixture
def load(monkeypatch):
    """Loads the model with kernels, which ``make`` compiles."""

    def load_it(make=Made, on_compile=None):
        monkeypatch.setattr(compiling, "compile_with_kernels", lambda *_: make())
        given = CONFIG, WEIGHTS, CPU(), "float32", 0, on_compile
        model, kind = graph_file.load_cached_model(*given)
        assert kind is KernelCache
        return model

    return load_it


def path_of(config=CONFIG, device=None, precision="float32"):
    return graph_file.graph_path(config, device or CPU(), precision)


def must_not_compile():
    raise AssertionError("compiled again")


def logits(model):
    ids, cache, last = np.array([[1, 2]]), KernelCache(CONFIG, 1, CPU()), np.array([1])
    arrays = ids, cache.positions(2), cache.seen(2), last
    given = map(Buffer.from_numpy, arrays)
    return model(*given, *cache.past())[0].to_numpy()[:, 0]


def test_a_kept_graph_is_read_and_gives_the_same(load):
    engine = Engine(CONFIG, WEIGHTS)
    expected = engine.prefill(np.array([[1, 2]]))
    np.testing.assert_array_equal(logits(load(must_not_compile)), expected)


@pytest.mark.parametrize("damage", [b"", b"not a graph", "half", "middle"])
def test_a_damaged_graph_is_made_again(folder, load, monkeypatch, damage):
    with monkeypatch.context() as usual:
        usual.delenv("MODULAR_CACHE_DIR")
        Engine(CONFIG, WEIGHTS)
        whole = path_of().read_bytes()
    if damage == "half":
        damage = whole[: len(whole) // 2]
    elif damage == "middle":
        damage = whole[:1000] + bytes(1000) + whole[2000:]
    path = path_of()
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    assert load() is Made.engine_model
    assert [p.read_bytes() for p in path.parent.iterdir()] == [b"a graph"]


def test_a_folder_that_cannot_be_written_only_costs_time(folder, load):
    (folder / "gpt2-on-max").write_text("a file where the folder should be")
    assert load() is Made.engine_model


def test_other_sizes_devices_sources_and_processors_are_other_graphs(monkeypatch):
    paths = {path_of()}
    other = type(CONFIG)(n_layer=CONFIG.n_layer + 1)
    paths.add(path_of(other))
    for kind in ("sm_90a", "gfx942"):
        paths.add(path_of(device=GPU(kind)))
    paths |= {path_of(precision=other) for other in ("bfloat16", "int8", "")}
    monkeypatch.setattr(graph_file, "sources", lambda: "another model")
    paths.add(path_of())
    monkeypatch.setattr(compilation_cache, "processor", lambda: "another processor")
    paths.add(path_of())
    assert len(paths) == 9


@pytest.mark.parametrize("kernel", [path.name for path in KERNELS.glob("*.mojo")])
def test_another_kernel_is_another_graph(monkeypatch, tmp_path, kernel):
    copy = tmp_path / "gpt2" / "engine"
    shutil.copytree(KERNELS.parent, copy)
    for name in ("runtime", "solutions"):
        (tmp_path / name).symlink_to(KERNELS.parents[2] / name)
    monkeypatch.setattr(graph_file, "HERE", copy)
    before = path_of()
    with (copy / "kernels" / kernel).open("a") as file:
        file.write("# another comment\n")
    assert path_of() != before


@pytest.fixture
def broken(folder, monkeypatch, tmp_path):
    """Lets the kernels' folder hold a text that Mojo refuses."""
    kernels = tmp_path / "kernels"
    kernels.mkdir()
    (kernels / "__init__.mojo").write_text("def broken(:\n")
    monkeypatch.setattr(compiling, "KERNELS", kernels)


def test_without_kernels_maxs_operations_compute(broken, caplog, monkeypatch):
    """MAX's own compile takes a minute, so its graph is kept, unlike the kernels'."""
    usual, said = graph_file.graph_path, []

    def path(config, device, precision):
        if precision:
            return usual(config, device, precision)
        with monkeypatch.context() as kept:
            kept.delenv("MODULAR_CACHE_DIR")
            return usual(config, device, precision)

    monkeypatch.setattr(graph_file, "graph_path", path)
    monkeypatch.setattr(compiled_graphs, "PATIENCE", 1e6)
    engine = Engine(CONFIG, WEIGHTS, on_compile=said.append)
    assert engine.empty_cache(1).__class__ is MaxCache
    (line,) = said
    assert "\n" not in line
    assert line.startswith("the course's kernels do not compile: ")
    assert "__init__.mojo:1:12: error: " in line
    assert not caplog.records
    assert line.endswith("; MAX's own operations run in their place, more slowly")
    prompt, new = GOLDEN["prompt_0"], GOLDEN["greedy_0"]
    np.testing.assert_array_equal(greedy(engine, prompt, len(new)), new)
    found = engine.prefill(GOLDEN["prompt_2"][None])
    np.testing.assert_allclose(found[0], GOLDEN["logits"][-1], **NEAR)


def test_without_kernels_there_are_no_smaller_weights(broken):
    said = []
    with pytest.raises(PrecisionError, match="only the course's kernels on a CPU"):
        Engine(CONFIG, dict(WEIGHTS), precision="bfloat16", on_compile=said.append)
    (line,) = said
    assert "do not compile" in line
    assert "in their place" not in line


def test_without_kernels_there_is_no_function_of_ones_own(broken):
    with pytest.raises(ValueError, match="cannot use another kernel"):
        Engine(CONFIG, WEIGHTS, matvec=1)


def test_only_a_long_compile_is_announced(folder, load, monkeypatch):
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

"""The programs of ``benchmarks.decode``: answers, failures and ends."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from click.testing import CliRunner

from benchmarks.decode import main, random_weights
from benchmarks.peers import Failed, Peer, Program, save
from benchmarks.turns import Case, Run, equal
from runtime.terminal import Console
from solutions.solution_01 import GPT2Config

TINY = GPT2Config(
    vocab_size=11, n_positions=16, n_embd=8, n_layer=2, n_head=2, n_inner=12
)
NUMPY = Program("NumPy", "numpy_no_cache", cached=False)
LLAMA = Program("llama.cpp", "llama_cpp")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights")
    save(TINY, random_weights(TINY), str(path))
    return str(path)


@pytest.fixture
def numpy_peer(folder: str) -> Iterator[Peer]:
    peer = Peer(NUMPY, "float32", sys.executable, folder, 1)
    yield peer
    peer.end()


def soon(true: Callable[[], bool]) -> bool:
    """Waits up to ten seconds until something is true."""
    end = time.monotonic() + 10
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def test_a_program_continues_texts_and_is_stopped_between(numpy_peer: Peer):
    process = psutil.Process(numpy_peer._process.pid)
    prompt = np.array([[3, 1, 4]])
    run = numpy_peer.decode(prompt, 5, 8)
    assert np.shape(run["ids"]) == (1, 5)
    assert len(run["seconds"]) == 5
    assert min(run["seconds"]) > 0
    assert numpy_peer.decode(prompt, 5, 8)["ids"] == run["ids"]
    assert soon(lambda: process.status() == psutil.STATUS_STOPPED)
    assert numpy_peer.versions == f"NumPy {np.__version__}"


def test_a_request_that_fails_is_no_end(numpy_peer: Peer):
    with pytest.raises(Failed, match="too many values to unpack"):
        numpy_peer.decode(np.ones([2, 3], int), 1, 4)
    assert numpy_peer.alive
    assert numpy_peer.decode(np.ones([1, 3], int), 1, 4)["ids"]


def test_a_program_that_ends(numpy_peer: Peer):
    numpy_peer._process.terminate()
    with pytest.raises(Failed, match="code -15"):
        numpy_peer.decode(np.ones([1, 3], int), 1, 4)
    assert not numpy_peer.alive


def test_a_program_without_its_libraries(folder: str):
    with pytest.raises(Failed, match="No module named 'gguf'"):
        Peer(LLAMA, "float32", sys.executable, folder, 1)


def test_nothing_is_left_of_an_ended_program(numpy_peer: Peer):
    numpy_peer.end()
    assert not psutil.pid_exists(numpy_peer._process.pid)
    assert not psutil.pid_exists(numpy_peer._group.number)


def test_a_failed_program_leaves_the_others(folder: str, numpy_peer: Peer):
    other = Peer(NUMPY, "float32", sys.executable, folder, 1)
    other._process.terminate()
    run = Run(folder, {}, 1, Console(quiet=True))
    case = Case("decoding", 1, 3, 4, rounds=2)
    rows = run.measure(case, TINY.vocab_size, [other, numpy_peer])
    assert [(row["same_ids"], row["ids"]) for row in rows] == [(4, 4)]
    rate = rows[0]["tokens_per_second"]
    assert 0 < rate["low"] <= rate["median"] <= rate["high"]
    assert [one["reason"] for one in run.left_out] == ["it ended with code -15"]
    assert len(run.bandwidths) == 2


def test_ids_count_up_to_the_first_other_one():
    assert equal([[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 0, 6]]) == 4


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("llama=x", "'llama' is not one of llama.cpp, CTranslate2, transformers."),
        ("llama.cpp=/no/python", "'/no/python' is not a Python that can be started."),
        ("llama.cpp", "'' is not a Python that can be started."),
    ],
)
def test_a_wrong_environment(value: str, message: str):
    result = CliRunner().invoke(main, ["--peer", value])
    assert result.exit_code == 2
    assert message in result.output


def test_the_files_of_the_weights(folder: str):
    names = {path.stem for path in Path(folder).glob("*.npy")}
    assert names == set(random_weights(TINY))

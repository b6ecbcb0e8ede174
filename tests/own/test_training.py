"""The training program: what it writes is a checkpoint, and its errors are sentences.

It needs PyTorch: ``uv run --extra test --with torch==2.13.0 pytest PATH``.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from course.registry import ROOT
from gpt2.checkpoint.loading import load_checkpoint
from tests.oracle import llama
from tests.oracle import model as oracle
from tests.own.packages import needed

FOLDER = ROOT / "checkpoints" / "training"
SMALL = ["--channels", "32", "--layers", "2", "--vocabulary", "300", "--steps", "12"]
pytestmark = pytest.mark.usefixtures("torch")
STORY = "Tom has a dog. The dog likes Tom. They run to the park.\n\n"


@pytest.fixture(scope="module")
def torch() -> Any:
    return needed("torch")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(STORY * 400, encoding="utf-8")
    return path


def train(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER / "train.py"), *map(str, arguments)]
    env = os.environ | {"OMP_NUM_THREADS": "1"} | variables
    return subprocess.run(command, env=env, capture_output=True, text=True)


def test_the_result_is_a_checkpoint(text: Path, tmp_path: Path, torch: Any) -> None:
    out = tmp_path / "out"
    done = train(text, "--out", out, *SMALL)
    assert done.returncode == 0, done.stderr
    assert "lowest validation loss" in " ".join(done.stdout.split())

    checkpoint = load_checkpoint(str(out))
    config = checkpoint.config
    assert (config.n_layer, config.n_embd) == (2, 32)
    ids = np.array([checkpoint.tokenizer.encode("Tom has a dog.")])
    sizes = config.n_layer, config.n_head, config.layer_norm_epsilon
    ours = oracle.logits(ids, checkpoint.weights, *sizes)
    with torch.no_grad():
        theirs = imported("files").load(out)(torch.tensor(ids)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


def test_the_result_may_be_a_llama(text: Path, tmp_path: Path, torch: Any) -> None:
    out = tmp_path / "out"
    done = train(text, "--out", out, "--kind", "llama", *SMALL)
    assert done.returncode == 0, done.stderr
    checkpoint = load_checkpoint(str(out))
    config: Any = checkpoint.config
    assert (config.n_layer, config.n_embd, config.n_kv_head) == (2, 32, 2)
    ids = np.array([checkpoint.tokenizer.encode("Tom has a dog.")])
    theta, eps = config.rope_theta, config.layer_norm_epsilon
    sizes = llama.Sizes(config.n_layer, config.n_head, config.n_kv_head, theta, eps)
    ours = llama.logits(ids, checkpoint.weights, sizes)
    with torch.no_grad():
        theirs = imported("files").load(out)(torch.tensor(ids)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


def imported(name: str) -> Any:
    """Imports a module of the training program."""
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


def test_a_training_can_go_on(text: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    assert train(text, "--out", first, *SMALL).returncode == 0
    done = train(text, "--out", second, "--from", first, "--steps", 4, "--rate", 0.3)
    assert done.returncode == 0, done.stderr
    ends, begins = moments(first)[-1]["validation"], moments(second)[0]["validation"]
    assert begins == pytest.approx(ends, abs=1e-3)  # the file has 16 bits
    assert moments(second)[-1]["validation"] < ends


def moments(out: Path) -> list[dict[str, float]]:
    return json.loads((out / "training.json").read_text())["moments"]


def test_a_training_goes_on_from_models_alone(text: Path, tmp_path: Path) -> None:
    done = train(text, "--out", tmp_path / "out", "--from", tmp_path)
    assert done.returncode != 0
    assert "has no tokenizer.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_same_seed_gives_the_same_weights(text: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for out in (first, second):
        assert train(text, "--out", out, *SMALL).returncode == 0
    a, b = ((out / "model.safetensors").read_bytes() for out in (first, second))
    assert a == b


def test_a_compiled_training_learns_the_same(text: Path, tmp_path: Path) -> None:
    few = [*SMALL, "--steps", "4"]
    plain, compiled = tmp_path / "a", tmp_path / "b"
    assert train(text, "--out", plain, *few).returncode == 0
    done = train(text, "--out", compiled, *few, "--compile")
    assert done.returncode == 0, done.stderr
    losses = [moments(out)[-1]["validation"] for out in (plain, compiled)]
    assert losses[0] == pytest.approx(losses[1], abs=0.01)
    assert load_checkpoint(str(compiled)).config.n_embd == 32


def test_compiling_without_a_compiler_is_refused(text: Path, tmp_path: Path) -> None:
    done = train(text, "--out", tmp_path / "out", "--compile", CXX="no-such-compiler")
    assert done.returncode == 2
    assert "needs a C++ compiler" in done.stderr


def test_ctrl_c_keeps_the_best_model(text: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    long = [*SMALL, "--steps", "1000000"]
    command = [sys.executable, str(FOLDER / "train.py"), str(text), "--out", str(out)]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, *long], **pipes) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("step"):
                break
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Stopped." in printed
    assert load_checkpoint(str(out)).config.n_embd == 32


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (None, [], "cannot be read"),
        (b"\xff\xfe\x00" * 10_000, [], "is not in UTF-8"),
        (b"short", [], "has too little text"),
        (STORY.encode() * 400, ["--heads", "5"], "5 heads cannot share 32 channels"),
        (
            STORY.encode() * 400,
            ["--kind", "llama", "--heads", "32"],
            "need an even number of channels",
        ),
    ],
)
def test_errors_are_sentences(
    tmp_path: Path, content: bytes | None, options: list[str], says: str
) -> None:
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    done = train(path, "--out", tmp_path / "out", *SMALL, *options)
    assert done.returncode != 0
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_is_never_overwritten(text: Path, tmp_path: Path) -> None:
    kept = tmp_path / "model.safetensors"
    kept.write_bytes(b"precious")
    done = train(text, "--out", tmp_path, *SMALL)
    assert done.returncode != 0
    assert "has a model already" in done.stderr
    assert kept.read_bytes() == b"precious"


def test_validation_text_is_not_trained_on(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    documents = [f"Story {number}. {STORY}" * 5 for number in range(120)]
    path.write_text("<|endoftext|>".join(documents), encoding="utf-8")
    text = imported("text").read_text(path, 400)
    decode = text.tokenizer.decode
    learned, held_out = (decode(x.tolist()) for x in (text.training, text.validation))
    assert all(f"Story {n}." in held_out for n in (0, 40, 80))
    assert not any(f"Story {n}." in learned for n in (0, 40, 80))
    assert all(f"Story {n}." in learned for n in (1, 39, 41, 119))


@pytest.mark.parametrize("mark", ["\n\n", "\n", " ", ""])
def test_a_text_without_documents_is_cut(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "text.txt"
    words = [f"w{number}" for number in range(20_000)]
    path.write_text(mark.join(words), encoding="utf-8")
    pieces = imported("text").read_documents(path)
    assert len(pieces) > 40
    assert max(map(len, pieces)) < 3_000
    assert mark.join(pieces).split(mark or None) == mark.join(words).split(mark or None)

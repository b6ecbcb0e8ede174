"""The recording of the training: what is recorded, and when it is stale."""

import json
import re
import shutil
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import load_file, save_file

import book.recorder
from book import play
from book.figures.training import half_way
from book.inside import SENTENCE
from book.lab import training
from book.lab.packing import as_script, pack_array, read_script, unpack_array
from book.lab.shares import attention, pack_shares
from book.neighbours import directions, nearest
from book.pages import SRC
from gpt2.checkpoint.loading import EMBEDDED
from gpt2.decoding.generation import Strategy, generate

KILOBYTE = 1000
FILE = "training.js"


@pytest.fixture(autouse=True)
def short_stories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TOKENS", 12)


@pytest.fixture
def moments(tmp_path: Path) -> Path:
    """A folder as train.py keeps it: with tiny weights, and then the embedded model."""
    folder, source = tmp_path / "moments", EMBEDDED["tiny-stories"]
    tensors = load_file(source / "model.safetensors")
    for step, factor in ((0, 0.01), (50, 1)):
        path = training.step_folder(folder, {"step": step})
        path.mkdir(parents=True)
        shutil.copy(source / "config.json", path)
        scaled = {name: (factor * x).astype(np.float16) for name, x in tensors.items()}
        save_file(scaled, path / "model.safetensors")
    losses = {"validation": 2.0, "bits_per_byte": 1.0, "seconds": 1.0}
    content = {
        "moments": [
            {"step": 0, "done": 0.0, **losses},
            {"step": 50, "done": 1.0, "loss": 2.5, **losses},
        ],
        "steps_per_loss": 25,
        "losses": [5.0, 2.5],
    }
    (folder / "training.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the recording goes."""
    monkeypatch.setattr(book.recorder, "ROOT", tmp_path)
    monkeypatch.setattr(training, "PATH", tmp_path / FILE)
    return tmp_path / FILE


@pytest.fixture
def recorded(kept: Path, moments: Path) -> dict[str, Any]:
    """A recording of the folder, whose file is written."""
    content = training.recording(moments)
    kept.write_text(as_script("training", content))
    return content


def command(*arguments: str) -> Result:
    return CliRunner().invoke(training.main, arguments)


def test_recording_is_small() -> None:
    assert (training.DATA / FILE).stat().st_size < 150 * KILOBYTE


def test_one_command_records_a_folder(kept: Path, moments: Path) -> None:
    assert command("--check").exit_code == 1
    assert command("--moments", str(moments)).output == f"{FILE}\n"
    recording = read_script(kept.read_text())
    assert [moment["step"] for moment in recording["moments"]] == [0, 50]
    assert all(m["story"].startswith(training.PROMPT) for m in recording["moments"])
    checked = command("--check")
    assert (checked.exit_code, checked.output) == (0, "")


def test_shares_keep_their_values_when_packed(recorded: dict[str, Any]) -> None:
    head = recorded["head"]
    shares = attention(SENTENCE)[head["layer"], head["head"]]
    rows, columns = np.tril_indices(len(shares))
    unpacked = unpack_array(recorded["moments"][-1]["shares"], "<u2") / 65535
    np.testing.assert_allclose(unpacked, shares[rows, columns], atol=0.6 / 65535)
    even = unpack_array(recorded["moments"][0]["shares"], "<u2") / 65535
    np.testing.assert_allclose(even, 1 / (rows + 1), atol=0.6 / 65535)


def changes(recorded: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The recording as other embedded models would have made it."""
    for change in (
        {"story": "Once upon a time, all was different."},
        {"shares": pack_shares(np.eye(len(recorded["tokens"])))},
        {"neighbours": recorded["moments"][-1]["neighbours"][::-1]},
    ):
        changed = deepcopy(recorded)
        changed["moments"][-1] |= change
        yield changed
    yield recorded | {"tokens": ["Tom"]}


def test_another_embedded_model_makes_it_stale(
    recorded: dict[str, Any], kept: Path
) -> None:
    for changed in changes(recorded):
        text = as_script("training", changed)
        kept.write_text(text)
        for arguments in (["--check"], []):
            result = command(*arguments)
            assert result.exit_code == 1
            assert f"{FILE} is stale: " in result.output
            assert result.output.endswith("book.lab.training --moments FOLDER\n")
        assert kept.read_text() == text  # without the folder, nothing can be made


def test_rounding_makes_nothing_stale(recorded: dict[str, Any], kept: Path) -> None:
    last = recorded["moments"][-1]
    shares = unpack_array(last["shares"], "<u2").copy()
    shares[shares.argmax()] -= 1
    last["shares"] = pack_array(shares)
    for near in last["neighbours"]:
        near[:] = [(token, cosine + 1e-3) for token, cosine in near]
    kept.write_text(as_script("training", recorded))
    assert command("--check").exit_code == 0


def test_other_models_are_refused(kept: Path, moments: Path) -> None:
    first, last = (training.step_folder(moments, {"step": n}) for n in (0, 50))
    shutil.copy(first / "model.safetensors", last)
    result = command("--moments", str(moments))
    assert result.exit_code == 1
    assert "is not the embedded model: replace that one first." in result.output
    assert not kept.exists()


@pytest.mark.parametrize("missing", ["training.json", "step-000000/model.safetensors"])
def test_incomplete_folders_are_named(kept: Path, moments: Path, missing: str) -> None:
    (moments / missing).unlink()
    result = command("--moments", str(moments))
    assert result.exit_code == 1
    assert Path(missing).name in result.output
    assert result.output.count("\n") == 1


class WholeText:
    """The embedded model in NumPy as an engine of the course's generation loop."""

    ids: np.ndarray

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        return self.continue_from(0, ids, 1)[:, 0]

    def decode(self, ids: np.ndarray) -> np.ndarray:
        return self.continue_from(self.ids.shape[1], ids[:, None], 1)[:, 0]

    def continue_from(self, length: int, ids: np.ndarray, count: int) -> np.ndarray:
        self.ids = np.append(self.ids[:, :length], ids, axis=1) if length else ids
        return play.logits(self.ids[0].tolist())[None, -count:]

    def select(self, rows: Any) -> None: ...


def test_story_is_what_the_command_writes() -> None:
    checkpoint = play.checkpoint()
    prompt = play.encode(training.PROMPT)
    strategy = Strategy(temperature=training.TEMPERATURE, top_p=1.0)
    (rng,) = np.random.default_rng(training.SEED).spawn(1)
    limits = {"max_new_tokens": 12, "end_ids": checkpoint.tokenizer.end_ids}
    steps = generate(WholeText(), prompt, strategy, rng, **limits)
    ids = [*prompt, *(step.id for step in steps)]
    assert training.story(play.trained()) == checkpoint.tokenizer.decode(ids)


def test_control_characters_are_replaced() -> None:
    assert training.printable("a\x04b\n\N{BULLET}") == "a\N{REPLACEMENT CHARACTER}b\n•"


def test_neighbours_are_sorted_by_cosine() -> None:
    arrow = directions(play.trained())[5]
    (token, cosine), *others = nearest(directions(play.trained()), 3 * arrow, set())
    assert token == play.checkpoint().tokenizer.token(5)
    assert cosine == pytest.approx(1)
    assert [c for _, c in others] == sorted((c for _, c in others), reverse=True)
    assert nearest(directions(play.trained()), arrow, {5})[0][0] == others[0][0]


def test_half_of_the_fall_is_found_between_two_moments() -> None:
    losses = {0: 8.0, 10: 6.0, 20: 4.0, 100: 2.0}  # halfway at 5.0, after 15 steps
    moments = [{"step": step, "validation": loss} for step, loss in losses.items()]
    assert half_way(moments) == "15.0 %"


def printed() -> list[str]:
    """The lines that the page's code prints."""
    text = (SRC / "training.md").read_text(encoding="utf-8")
    outputs = [part.split("```")[0] for part in text.split("```text output\n")[1:]]
    return "".join(outputs).splitlines()


def numbers_after(start: str) -> list[float]:
    """The numbers of the printed line that begins so."""
    (line,) = (line for line in printed() if line.lstrip().startswith(start))
    return [float(number) for number in re.findall(r"-?\d+\.\d+", line)]


def test_gradient_by_hand_is_the_gradient() -> None:
    by_hand = numbers_after("softmax minus one-hot")
    assert by_hand == numbers_after("by nudging")
    assert sum(by_hand) == 0


def test_loop_overfits_as_the_text_says() -> None:
    (training_before, held_out_before) = numbers_after("3000:")
    (training_after, held_out_after) = numbers_after("30000:")
    assert training_after < training_before
    assert held_out_after > held_out_before

"""What the voice says about each exercise."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from course.commands import typed
from course.history import Event, History
from course.registry import ROOT, find_exercise, load_registry
from course.state import Progress
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from gpt2.learner.voice import finale, ledger
from gpt2.learner.voice.drawings import bars, seen
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.stories import NEW_TOKENS, Finished, read_finished, read_story
from runtime.child_python import python_command

RUN = "from gpt2.learner.voice.__main__ import main; main()"
MARKUP = re.compile(r"\[/?[a-z ]*\]")
SECONDS = 100  # of speaking: on a busy machine, too

Say = Callable[..., str]


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """A folder like ``steps/`` in which every exercise is solved, and none checked."""
    folder = tmp_path / "steps"
    folder.mkdir()
    for exercise in load_registry():
        (folder / exercise.step_path.name).write_text(exercise.solved)
    return folder


@pytest.fixture
def say(steps: Path) -> Say:
    """Lets the voice speak; returns its text without markup, its lines ended by |."""

    def speak(key: str, verdict: str = "passed", **environment: str) -> str:
        done = subprocess.run(
            python_command(RUN, key, str(steps), verdict, str(SECONDS)),
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        events = map(json.loads, done.stdout.splitlines())
        said = "".join(e["say"] if "say" in e else f"|{e['line']}|" for e in events)
        return MARKUP.sub("", said)

    return speak


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    """The embedded model."""
    return load_checkpoint("tiny-stories")


def change(steps: Path, step: str, old: str, new: str) -> None:
    """Replaces a text in a learner's file."""
    path = steps / f"{step}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_it_compiles_nothing(say: Say, tmp_path: Path) -> None:
    said = say("s04", MODULAR_CACHE_DIR=str(tmp_path / "empty"))
    assert "MAX first compiles" in said
    assert said.endswith(f"{typed('course setup')}|")


def test_a_right_step_writes_what_the_finished_model_writes(
    say: Say, checkpoint: Checkpoint
) -> None:
    said = say("s04")
    text = checkpoint.tokenizer.decode(read_finished(4).ids)
    assert "yours: step 04; borrowed: the rest" in said
    assert f"{read_story(4, checkpoint).prompt}{text}|" in said
    assert "loss 1.63 on the story" in said
    assert "a finished model: 1.63, and the same words" in said


def test_a_wrong_step_writes_something_else(say: Say, steps: Path) -> None:
    change(steps, "step_04", "self.c_proj(hidden)", "self.c_proj(hidden) / 2")
    said = say("s04", "failed")
    assert "loss 1.63" not in said
    assert "a finished model: 1.63|" in said
    assert "a finished model goes on:" in said


def test_finished_steps_are_in_the_model_too(say: Say, steps: Path) -> None:
    progress = Progress(steps)
    change(steps, "step_03", "self.weight", "2 * self.weight")
    for number in ("3", "5"):
        exercise = find_exercise(number)
        digest = progress.digest(exercise)
        progress.record(exercise, digest, passed=True, seconds=0)
    said = say("s04")
    assert "yours: steps 03–05; borrowed: the rest" in said
    assert "loss 1.63 on" not in said


def test_a_step_that_raises_gets_one_line(say: Say, steps: Path) -> None:
    change(steps, "step_07", "F.chunk(", "F.chunk_it(")
    (line,) = say("s07", "failed").strip("|").split("||")[1:]
    place = f"{steps / 'step_07.py'}:"
    assert line.startswith(f"With it the model does not run: AttributeError, {place}")


def test_what_a_step_prints_is_not_said_again(say: Say, steps: Path) -> None:
    noise = "print('noise'); import os; os.system('echo noise'); F.chunk("
    change(steps, "step_07", "= F.chunk(", f"= 1, 2, 3; {noise}")
    assert "noise" not in say("s07", "failed")


def test_a_step_that_gives_no_numbers_still_speaks(say: Say, steps: Path) -> None:
    change(steps, "step_03", "F.rsqrt(", "F.rsqrt(-")
    assert "loss no number on" in say("s03", "failed")


@pytest.mark.parametrize(
    ("key", "texts"),
    [
        (
            "tokenizer",
            ["Your tokenizer cuts", "gives the same", "50 merges that the whole story"],
        ),
        ("s01", ["124,439,808 in all", "feed-forward", "loss 1.47 on"]),
        ("s02", ["● · · · · · · ·", "● ● ● ● ● ● ● ●", "loss 1.22 on"]),
        ("s14", ["Tim loved to play", "loss 1.47 on", "and the same words"]),
        (
            "sampling",
            ["a little girl named”", "·Lily", "top-k 5 keeps 5", "Drawn from"],
        ),
        (
            "beam-search",
            ["after 2 tokens", "after 10 tokens", "with a text score of -"],
        ),
        ("kv-cache", ["tokens/s with your cache"]),
        ("contrastive", ["amateur", "removed", "Your contrastive search:"]),
        ("llama", ["on the story as it was written, with the weights of tiny-llama"]),
        ("speculative", ["Your rounds, after", "24 tokens with", "calls of the model"]),
    ],
)
def test_what_fits_the_exercise(key: str, texts: list[str], say: Say) -> None:
    said = say(key)
    assert [text for text in texts if text not in said] == []
    assert "does not run" not in said
    assert "other tokens" not in said


def test_a_wrong_mask_is_seen(say: Say, steps: Path) -> None:
    change(steps, "step_02", "num_tokens, exclude=True", "num_tokens + 1, exclude=True")
    said = say("s02", "failed")
    assert "Once  ● ● · · · · · ·" in said
    assert "loss 1.22 on" not in said


def test_the_finale(say: Say, steps: Path, checkpoint: Checkpoint) -> None:
    progress, history = Progress(steps), History(steps)
    for exercise in filter(lambda e: e.is_step, load_registry()):
        digest = progress.digest(exercise)
        progress.record(exercise, digest, passed=True, seconds=0)
        when = 60.0 * exercise.number
        history.add(Event(exercise.key, when, False, "a mistake"))
        history.add(Event(exercise.key, when, True))
    said = say("s14")
    assert said.startswith("|Your GPT-2 is complete.")
    assert "The solutions write the same 96 tokens, id for id." in said
    assert f"{2_936_640:,}" in said
    assert re.search(r"in all +\d+ +2,936,640 +13 min +14\|", said)
    assert "kv-cache" in said


def test_the_finale_waits_for_all_steps(say: Say) -> None:
    assert "is complete" not in say("s14")


def test_the_comparison_sees_another_token(steps: Path, checkpoint: Checkpoint) -> None:
    given = Attempt(find_exercise("14"), steps, checkpoint, True, SECONDS)
    right = read_finished(14).ids[:8]
    assert "the same 8 tokens, id for id" in finale.comparison(given, right)
    wrong = [*right[:5], right[5] + 1, *right[6:]]
    assert "another token after 5." in finale.comparison(given, wrong)


def test_every_story_leaves_room_for_more(checkpoint: Checkpoint) -> None:
    stories = [read_story(e.number, checkpoint) for e in load_registry()]
    for story in stories:
        room = checkpoint.config.n_positions - len(story.prompt_ids)
        assert room > max(NEW_TOKENS, finale.NEW_TOKENS)
        assert checkpoint.tokenizer.decode(story.ids).startswith(story.prompt)


def test_loss_is_the_mean_surprise(checkpoint: Checkpoint) -> None:
    story = read_story(1, checkpoint)
    logits = np.zeros([len(story.ids) - 1, checkpoint.config.vocab_size])
    assert story.loss(logits) == pytest.approx(np.log(checkpoint.config.vocab_size))


def test_agreement_needs_every_token() -> None:
    finished = Finished(1.0, [5, 6, 7])
    assert finished.agrees([5, 6])
    assert not finished.agrees([5, 7])
    assert not finished.agrees([5, 6, 7, 8])


def test_only_own_lines_count(steps: Path) -> None:
    exercise = find_exercise("10")
    skeleton = (ROOT / exercise.skeleton_path).read_text()
    path = steps / "step_10.py"
    path.write_text(skeleton)
    assert ledger.own_lines(steps, exercise) == 0
    path.write_text(f"{skeleton}\n\n# a note\nx = 1\n")
    assert ledger.own_lines(steps, exercise) == 1


def test_drawings() -> None:
    first, second = bars([("a", 3.0, "x"), ("long", 0.0, "")])
    assert first.count("█") == 30
    assert second.count("█") == 0
    low = -np.inf
    rows = list(seen(np.array([[0.0, low], [1.0, 0.0]]), ["a", "b"]))
    assert [MARKUP.sub("", row) for row in rows] == ["  a  ● ·", "  b  ? ●"]

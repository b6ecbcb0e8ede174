"""``--mine`` chooses tokens with a learner's step 14 and encores."""

from collections.abc import Callable

import numpy as np
import pytest

from course.commands import typed
from course.registry import find_exercise
from gpt2.commands.chat import chat
from gpt2.commands.compare import compare
from gpt2.commands.diversity import diversity
from gpt2.decoding.generation import Strategy
from gpt2.learner.borrowing import borrow
from gpt2.learner.own_decoding import FILTERED, OwnDecoding, OwnLoop
from gpt2.learner.step_errors import LearnerError
from tests.own.gpt2.samples import BPE, STORY, VOCAB

LOOP = find_exercise("14").solved
SAMPLING = find_exercise("sampling").solved
SEARCH = find_exercise("beam-search").solved
ALWAYS_64 = """
def generate_tokens(model, input_ids, max_new_tokens=10, *_, **__):
    from max.experimental import functional as F
    from max.experimental.tensor import Tensor
    new = Tensor.full([1, max_new_tokens], 64, dtype=input_ids.dtype)
    return F.concat([input_ids, new], axis=1)
"""
ALWAYS = "\n\ndef sample(logits, rng):\n    return 64\n"


@pytest.fixture
def mine(run, steps) -> Callable:
    """Runs a command on a learner's files alone."""

    def invoke(*arguments, command=None, stdin=None, **files):
        place = ("--mine", "--strict", "--steps-dir", str(steps(**files)))
        more = {"command": command} if command else {}
        return run(*arguments, *place, stdin=stdin, **more)

    return invoke


# Which code chooses


def test_step_14_chooses_where_no_filter_is_on(mine, fake):
    fake(STORY)
    result = mine("Once", "--max-new-tokens", "3", "--top-p", "1", step_14=ALWAYS_64)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "Once```\n"
    assert FILTERED not in result.stderr


def test_the_encore_chooses_where_a_filter_is_on(mine, fake):
    fake(STORY)
    files = {"step_14": LOOP, "encore_sampling": SAMPLING + ALWAYS}
    result = mine("Once", "--max-new-tokens", "3", **files)
    assert result.stdout == "Once```\n"
    assert result.stderr.count(FILTERED) == 1


@pytest.mark.parametrize(
    ("strategy", "filtered"),
    [
        (Strategy(temperature=0, top_p=0.9, top_k=3, min_p=0.1), False),
        (Strategy(temperature=0, repetition_penalty=1.1), True),
        (Strategy(temperature=1.3), False),
        (Strategy(top_k=40), True),
        (Strategy(top_p=0.9), True),
        (Strategy(min_p=0.1), True),
        (Strategy(repetition_penalty=1.1), True),
    ],
)
def test_a_filter_that_changes_nothing_is_none(strategy, filtered):
    assert strategy.filtered is filtered


def test_every_sampling_command_uses_step_14(mine, fake):
    for command, arguments, stdin in [
        (chat, ["--top-p", "1", "--max-new-tokens", "2"], "Once\n"),
        (diversity, ["Once", "--num-samples", "2", "--max-new-tokens", "2"], None),
        (compare, ["Once", "--max-new-tokens", "2", "--json"], None),
    ]:
        fake(STORY)
        files = {"encore_sampling": SAMPLING, "encore_beam_search": SEARCH}
        blank = ALWAYS_64.replace("new =", "raise ValueError('Mine.')\n    new =")
        result = mine(*arguments, command=command, stdin=stdin, step_14=blank, **files)
        assert "step_14.py does not run: ValueError: Mine." in result.stderr


def test_a_borrowed_step_14_is_not_called(steps, passed, run, fake):
    fake(STORY)
    desk = steps(step_14=ALWAYS_64)  # fails its checks
    exercise = find_exercise("14")
    passed(desk, exercise)
    (desk / "step_14.py").write_text(exercise.skeleton_path.read_text())
    result = run("Once", "--mine", "--greedy", "--steps-dir", str(desk))
    assert result.stdout.startswith("Once there was a girl.")


# The loop


def choose(steps, logits, strategy, seed=0):
    """Lets the solution's step 14 choose a token, as the learner's."""
    steps(step_14=LOOP)
    step = OwnLoop()(logits, [3, 1, 2], strategy, np.random.default_rng(seed))
    assert step.probability is None
    return step.id


def test_greedy_takes_the_lowest_of_equal_ids(steps):
    logits = np.array([0, 2, 1, 2, -np.inf], np.float32)
    assert choose(steps, logits, Strategy(temperature=0)) == 1


def test_step_14_draws_the_same_token_as_the_sampling_encore(steps):
    logits = np.random.default_rng(0).normal(size=VOCAB).astype(np.float32)
    steps(step_14=LOOP, encore_sampling=SAMPLING)
    borrowed = borrow(own=[])
    for temperature in (0.3, 1.0, 2.5):
        strategy = Strategy(temperature=temperature)
        drawn = OwnDecoding(borrowed, print).chooser(strategy, look=True)
        for seed in range(3):
            rng = np.random.default_rng(seed)
            assert choose(steps, logits, strategy, seed) == (
                drawn(logits, [], strategy, rng).id
            )


def test_the_coldest_temperature_is_greedy(steps):
    logits = np.array([1, 3, 2], np.float32)
    assert choose(steps, logits, Strategy(temperature=1e-300)) == 1


def test_the_model_is_given_the_whole_text(steps):
    steps(
        step_14="import numpy as np\n"
        "def generate_tokens(model, input_ids, *_, **__):\n"
        "    ids, logits = input_ids.to_numpy(), model(input_ids).to_numpy()\n"
        "    assert ids.tolist() == [[3, 1, 2]], ids\n"
        "    assert logits.shape == (1, 3, 4), logits\n"
        "    from max.experimental.tensor import Tensor\n"
        "    best = logits[:, ids.shape[1] - 1].argmax(axis=-1)\n"
        "    return Tensor.from_dlpack(np.concatenate([ids, [best]], axis=1))\n"
    )
    logits, rng = np.array([0, 1, 9, 2], np.float32), np.random.default_rng(0)
    assert OwnLoop()(logits, [3, 1, 2], Strategy(temperature=0), rng).id == 2


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("return input_ids", "generate_tokens returned no text with one more token"),
        ("return None", "'NoneType' object has no attribute 'to_numpy'"),
        ("return model(input_ids)", "generate_tokens returned no text"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("exit(3)", "SystemExit: 3"),
    ],
)
def test_a_wrong_loop_is_named(mine, fake, code, words):
    fake(STORY)
    text = f"def generate_tokens(model, input_ids, *_, **__):\n    {code}\n"
    result = mine("Once", "--greedy", step_14=text)
    assert result.exit_code == 1
    error = result.stderr.partition("Error: ")[2]
    assert "step_14.py does not run: " in error
    assert words in error
    assert typed("s14") in error


def test_show_steps_shows_the_loops_choice(mine, fake):
    fake(STORY)
    files = {"step_14": LOOP, "encore_sampling": SAMPLING}
    result = mine("Once", "--greedy", "--show-steps", "--max-new-tokens", "1", **files)
    assert result.exit_code == 0, result.stderr
    assert f"{BPE.encode(STORY).ids[0]}" in result.stderr
    assert "%" in result.stderr


# The encores


def test_the_learners_own_search_is_used(mine, table):
    code = (
        "def beam_search(next_logits, prompt_ids, *, num_beams, max_new_tokens, "
        "length_penalty=1.0, eos_token_id=None):\n"
        "    next_logits([prompt_ids])\n"
        "    return [*prompt_ids, 64], -1.5\n"
    )
    result = mine("Once", "--beams", "2", encore_beam_search=code)
    assert result.stdout == "Once`\n"
    assert "score -1.500" in result.stderr


@pytest.mark.parametrize(
    ("options", "key", "name"),
    [
        ([], "sampling", "encore_sampling"),
        (["--top-k", "3"], "sampling", "encore_sampling"),
        (["--beams", "2"], "beam-search", "encore_beam_search"),
        (["--greedy"], "s14", "step_14"),
    ],
)
def test_strict_borrows_no_part_that_is_needed(run, fake, steps, options, key, name):
    fake(STORY)
    desk = steps()
    skeleton = find_exercise(key).skeleton_path.read_text()
    (desk / f"{name}.py").write_text(skeleton)
    place = ("--mine", "--strict", "--steps-dir", str(desk))
    result = run("Once", *place, *options)
    assert result.exit_code == 1
    error = result.stderr.partition("Error: ")[2]
    assert f"{name}.py is not finished: " in error
    assert typed(f"{key} --steps-dir {desk}") in error


def test_an_error_while_writing_names_the_file(mine, fake):
    fake(STORY)
    code = "\n\ndef sample(logits, rng):\n    return 1 // (len(logits) - 290)\n"
    files = {"step_14": LOOP, "encore_sampling": SAMPLING + code}
    result = mine("Once", "--max-new-tokens", "3", **files)
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    assert "encore_sampling.py does not run: ZeroDivisionError" in result.stderr


def test_a_model_without_numbers_names_the_next_command(mine, fake):
    engine = fake(STORY)
    engine.margin = np.nan
    result = mine("Once", "--greedy", step_14=LOOP)
    assert result.exit_code == 1
    assert "computes no finite numbers" in result.stderr
    assert typed("gpt2 layers") in result.stderr


def test_without_mine_nothing_of_the_learners_is_looked_at(run, fake, steps):
    fake(STORY)
    steps(step_14="1 / 0", encore_sampling="1 / 0", encore_beam_search="1 / 0")
    assert run("Once", "--max-new-tokens", "2").exit_code == 0
    with pytest.raises(LearnerError):
        OwnDecoding(borrow(steps(step_14="1 / 0"), strict=True), print).chooser(
            Strategy(), look=False
        )

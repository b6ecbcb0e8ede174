"""``--mine`` uses a learner's finished encores, and solutions for the others."""

from pathlib import Path

import pytest
from gpt2.learner.encores import open_encores

from course.commands import typed
from gpt2.learner.step_errors import LearnerError
from solutions import encore_beam_search, encore_sampling
from tests.own.gpt2.samples import STORY

SOLUTIONS = Path(__file__).parents[3] / "solutions"
SAMPLING = (SOLUTIONS / "encore_sampling.py").read_text()
BEAM_SEARCH = (SOLUTIONS / "encore_beam_search.py").read_text()
BLANK = "\n\ndef {}(*_, **__):\n    raise NotImplementedError('Fill it in.')\n"


def opened(mine=True):
    """Returns the encores, and the notes about them."""
    said = []
    return open_encores(mine=mine, note=said.append), said


def test_without_mine_nothing_of_the_learners_is_looked_at(steps):
    steps(encore_sampling="1 / 0", encore_beam_search="1 / 0")
    encores, said = opened(mine=False)
    assert encores.sampling is encore_sampling
    assert encores.beam_search is encore_beam_search
    assert said == []


def test_finished_ones_are_used(steps):
    steps(encore_sampling=SAMPLING, encore_beam_search=BEAM_SEARCH)
    encores, said = opened()
    assert encores.sampling.__name__ == "steps.encore_sampling"
    assert encores.beam_search.__name__ == "steps.encore_beam_search"
    assert said == []


@pytest.mark.parametrize(
    "blank",
    ["softmax", "top_p_filter", "next_token_probabilities", "top_tokens", "sample"],
)
def test_unfinished_sampling_is_borrowed(steps, blank):
    code = SAMPLING + BLANK.format(blank)
    steps(encore_sampling=code, encore_beam_search=BEAM_SEARCH)
    encores, (line,) = opened()
    assert encores.sampling is encore_sampling
    assert encores.beam_search.__name__ == "steps.encore_beam_search"
    assert line == "not finished, so borrowed from the solutions: encore_sampling"


def test_missing_files_are_borrowed(steps):
    steps()
    encores, (line,) = opened()
    assert encores.sampling is encore_sampling
    assert line.endswith(": encore_sampling, encore_beam_search")


def test_a_broken_one_is_named(steps):
    steps(encore_sampling="def softmax(:", encore_beam_search=BEAM_SEARCH)
    with pytest.raises(LearnerError) as caught:
        opened()
    assert "steps/encore_sampling.py does not run: SyntaxError" in str(caught.value)
    assert typed("sampling") in str(caught.value)


def test_a_broken_search_is_named(steps):
    code = BEAM_SEARCH.replace("beams, sums =", "beams, sums, more =")
    steps(encore_sampling=SAMPLING, encore_beam_search=code)
    with pytest.raises(LearnerError, match=typed("beam-search")):
        opened()


# The command


def test_the_learners_own_choice_is_heard(run, fake, steps):
    fake(STORY)
    always = "\n\ndef sample(logits, rng):\n    return 64\n"
    steps(encore_sampling=SAMPLING + always)
    result = run("Once", "--mine", "--max-new-tokens", "3", "--top-p", "1")
    assert result.exit_code == 0
    assert result.stdout == "Once```\n"  # token 64, three times
    assert "borrowed from the solutions: encore_beam_search" in result.stderr


def test_an_error_while_writing_names_the_file(run, fake, steps):
    fake(STORY)
    code = "\n\ndef sample(logits, rng):\n    return 1 // (len(logits) - 290)\n"
    steps(encore_sampling=SAMPLING + code)
    result = run("Once", "--mine", "--max-new-tokens", "3")
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    error = result.stderr.partition("Error: ")[2]
    assert error.startswith("steps/encore_sampling.py does not run: ZeroDivisionError")


def test_the_learners_own_search_is_used(run, table, steps):
    code = (
        "def beam_search(next_logits, prompt_ids, *, num_beams, max_new_tokens, "
        "length_penalty=1.0, eos_token_id=None):\n"
        "    next_logits([prompt_ids])\n"
        "    return [*prompt_ids, 64], -1.5\n"
    )
    steps(encore_beam_search=code)
    result = run("Once", "--mine", "--beams", "2")
    assert result.stdout == "Once`\n"
    assert "score -1.500" in result.stderr

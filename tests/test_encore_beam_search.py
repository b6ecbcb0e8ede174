"""Checks the encore beam search."""

import json
from functools import cache
from numbers import Real
from pathlib import Path

import numpy as np

from course.check_program import check_file
from course.checks import CheckFailed, as_plain, kind_of, require
from tests import fakes
from tests.oracle import decoding as oracle_decoding

GOLDEN = Path(__file__).parent / "golden"
END = 4  # the tables' end token
TOLERANCE = 1e-4  # of a score, relative above 1: golden scores are sums of float32

# No row has two equal numbers: which of two equal texts goes on is nobody's rule.
# No token is likely after the likeliest first token. After the second likeliest first
# token, 3 has a probability of 0.9.
TRAP = [
    [0.04, 0.50, 0.40, 0.035, 0.025],
    [0.20, 0.19, 0.21, 0.22, 0.18],
    [0.02, 0.03, 0.01, 0.90, 0.04],
    [0.30, 0.21, 0.19, 0.16, 0.14],
    [0.22, 0.19, 0.21, 0.20, 0.18],
]
# After 1, both 3 and 4 are likely. The better text goes through 4.
COMPETE = [
    [0.04, 0.60, 0.30, 0.035, 0.025],
    [0.02, 0.03, 0.01, 0.49, 0.45],
    [0.20, 0.19, 0.21, 0.22, 0.18],
    [0.20, 0.19, 0.21, 0.22, 0.18],
    [0.015, 0.90, 0.035, 0.03, 0.02],
]
# After 0 comes 1, then the end. A token after the end is likely, too.
CHAIN = [
    [0.02, 0.90, 0.015, 0.035, 0.03],
    [0.03, 0.02, 0.015, 0.035, 0.90],
    *TRAP[2:4],
    [0.90, 0.03, 0.035, 0.02, 0.015],
]
# A text that ends at once is good, but a text that goes on through 1 is better.
WAIT = [
    [0.03, 0.35, 0.20, 0.02, 0.40],
    [0.01, 0.015, 0.005, 0.02, 0.95],
    *TRAP[2:],
]
# The end is second likeliest. No token is likely after the likeliest one.
SECOND = [[0.02, 0.50, 0.025, 0.005, 0.45], *TRAP[1:]]
# The end is likeliest. Of the next two tokens, the second gives the better text.
FULL = [
    [0.025, 0.26, 0.20, 0.015, 0.50],
    [0.19, 0.26, 0.10, 0.25, 0.20],
    [0.01, 0.015, 0.005, 0.02, 0.95],
    *TRAP[3:],
]


def likely(probabilities):
    """A model with these probabilities, whose logits differ from the logarithms."""
    logits = np.log(probabilities)
    logits += np.linspace(-3, 3, len(logits))[:, None]  # no effect on softmax
    return fakes.NextLogits(logits.astype(np.float32))


def random_model(seed):
    table = np.random.default_rng(seed).normal(0, 1.5, (4999, 7))
    return fakes.NextLogits(table.astype(np.float32), whole_text=True)


@cache
def golden():
    cases = json.loads((GOLDEN / "decoding.json").read_text(encoding="utf-8"))["beams"]
    return fakes.GoldenModel(GOLDEN / "odd"), cases


def call(prompt, options):
    more = "".join(f", {k}={v}" for k, v in options.items())
    return f"beam_search(next_logits, {prompt}{more})"


def ids_and_score(value, asked):
    """Requires a pair of ids and a number; returns the pair."""
    got = as_plain(value)
    pair = isinstance(got, list) and len(got) == 2
    if not (pair and isinstance(got[0], list) and isinstance(got[1], Real)):
        facts = [("called", asked), ("yours", kind_of(value))]
        raise CheckFailed("The result is not a list of ids and a score.", facts, got)
    return got


def expect_text(value, ids, score, asked, *, only_ids=False):
    """Requires these ids and this score, or only the ids."""
    got, its_score = ids_and_score(value, asked)
    facts = [("called", asked), ("expected", f"{ids}, score {score:.5f}")]
    facts.append(("yours", f"{got}, score {its_score:.5f}"))
    observed = got, round(its_score, 3)
    if got != ids:
        message = "That is not the text to be found."
        symptom = explain_text(got, its_score, ids, score)
        raise CheckFailed(message, facts, observed, symptom=symptom)
    if only_ids:
        return
    close = abs(its_score - score) <= TOLERANCE * max(1, abs(score))
    if not close:
        raise CheckFailed("The text is right, but not its score.", facts, observed)


def explain_text(got, its_score, ids, score):
    """Says in a sentence how a text differs from the right one; None if unknown."""
    if abs(its_score - score) <= TOLERANCE * max(1, abs(score)):
        return "The score is that of the right text, and the ids are others."
    if ids[-len(got) :] == got:
        return "Yours is the end of the right text: the beginning is missing."
    if ids[: len(got)] == got:
        return "Yours is the beginning of the right text: the end is missing."
    if got[: len(ids)] == ids:
        return "Yours goes on after the end of the right text."
    strange = bool(got) and got[0] != ids[0]
    return "Yours does not even begin with the prompt." if strange else None


def search(step, model, prompt, *, only_ids=False, **options):
    """Requires the oracle's ids and score, or only the ids."""
    found = oracle_decoding.beam_search(model, prompt, **options)
    value = step.beam_search(step.hold(model), prompt, **options)
    expect_text(value, *found, call(prompt, options), only_ids=only_ids)


def test_greedy(step):
    """With one beam, the text goes on with the likeliest token each time.

    Beam search with a single beam is greedy search.
    """
    model = fakes.NextLogits(random_model(1).table[:7])
    for prompt in ([0], [5, 2]):
        search(step, model, prompt, num_beams=1, max_new_tokens=4, only_ids=True)


def test_trap(step):
    """Several beams find a likely text that begins with an unlikely token.

    Greedy choice takes 1, and regrets it: 0.50 · 0.22 is less than 0.40 · 0.90.
    """
    for beams in (2, 3):
        options = {"num_beams": beams, "max_new_tokens": 2}
        search(step, likely(TRAP), [0], **options, only_ids=True)


def test_all_compete(step):
    """All beams' continuations compete: the best may continue the same beam.

    Here the two best texts of two tokens both begin with 1.
    """
    options = {"num_beams": 2, "max_new_tokens": 3}
    search(step, likely(COMPETE), [0], **options, only_ids=True)


def test_score(step):
    """The score is the new tokens' log-probability, divided by length ** penalty.

    The length counts the new tokens, not the prompt.
    """
    for penalty in (0.0, 1.0, 2.0, -1.0):
        options = {"num_beams": 2, "max_new_tokens": 3, "length_penalty": penalty}
        search(step, likely(TRAP), [3, 0], **options)
    search(step, likely(TRAP), [3, 0], num_beams=2, max_new_tokens=3)


def test_large_logits(step):
    """Logits may be large: exp(1000) does not fit in any float.

    One text's logits may be far from another text's, too: only differences within a
    row count.
    """
    model = likely(TRAP)
    far = np.float32([[0], [1500], [-1500], [0], [0]])
    for shift in (1000, -1000, far):
        shifted = fakes.NextLogits(model.table + np.float32(shift))
        search(step, shifted, [0], num_beams=2, max_new_tokens=3)


def test_whole_text(step):
    """The model sees the whole text for every token, the prompt first.

    What follows may depend on any earlier word. The prompt itself stays as it is.
    """
    model, prompt = random_model(2), [3, 1, 6, 0, 5] * 4
    held = step.hold(list(prompt))
    options = {"num_beams": 3, "max_new_tokens": 14}
    found = oracle_decoding.beam_search(model, prompt, **options)
    value = step.beam_search(step.hold(model), held, **options)
    asked = call(prompt, options)
    expect_text(value, *found, asked)
    message = "The list prompt_ids has changed; make a new one instead."
    require(as_plain(held.call("copy")) == prompt, message, asked, "changed")


def test_few_tokens(step):
    """A vocabulary may have fewer tokens than there are beams.

    Then the first round has fewer continuations than were asked for.
    """
    model = likely([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.28, 0.32, 0.4]])
    search(step, model, [0], num_beams=5, max_new_tokens=3)


def test_end(step):
    """A text that ends keeps its end, goes no further, and can win.

    Its length counts the end.
    """
    for beams, penalty in [(1, 1.0), (2, 1.0), (2, 2.0)]:
        options = {"num_beams": beams, "max_new_tokens": 4, "eos_token_id": END}
        search(step, likely(CHAIN), [0], length_penalty=penalty, **options)


def test_search_goes_on(step):
    """A finished text waits: one that goes on may still overtake it.

    Here 4 ends the first text, and the text 1, 4 has the better score.
    """
    options = {"num_beams": 2, "max_new_tokens": 4, "eos_token_id": END}
    search(step, likely(WAIT), [0], **options)


def test_only_the_best_may_end(step):
    """An end counts only among the num_beams likeliest continuations.

    The other continuations are there to go on in the place of those that end.
    """
    options = {"max_new_tokens": 3, "eos_token_id": END, "length_penalty": 0.0}
    search(step, likely(SECOND), [0], num_beams=1, **options)


def test_as_many_go_on(step):
    """When some texts end, still num_beams others go on.

    That is why 2 · num_beams continuations are looked at.
    """
    options = {"max_new_tokens": 3, "eos_token_id": END, "length_penalty": 1.5}
    search(step, likely(FULL), [0], num_beams=2, **options)


def test_over(step):
    """The search is over once num_beams are finished and no beam is above the lowest.

    A beam's score uses its present length, as in Hugging Face's search. A search that
    goes on, or stops at once, finds another text here.
    """
    for seed in range(6, 16):
        for beams in (1, 2, 3, 8):
            options = {"max_new_tokens": 7, "eos_token_id": END, "num_beams": beams}
            search(step, random_model(seed), [1], length_penalty=3.0, **options)
            search(step, random_model(seed), [1], length_penalty=-0.5, **options)


def test_length_penalty(step):
    """A high length penalty finds longer texts, a negative one shorter texts.

    The penalty decides which finished text is the best, and when the search is over.
    """
    for seed in (3, 4, 5):
        for penalty in (-1.0, 0.0, 1.0, 2.0):
            options = {"max_new_tokens": 6, "eos_token_id": END}
            options |= {"num_beams": 3, "length_penalty": penalty}
            search(step, random_model(seed), [0], **options)


def test_end_in_the_prompt(step):
    """An end in the prompt stops nothing, and any id can be the end, 0 as well."""
    options = {"num_beams": 2, "max_new_tokens": 3}
    search(step, likely(TRAP), [END, 0], eos_token_id=END, **options)
    search(step, likely(TRAP), [1, 3], eos_token_id=0, **options)
    search(step, likely(TRAP), [1, END], eos_token_id=END, **options)


def test_equal_to_hugging_face(step):
    """On a small GPT-2 the texts and scores are those of Hugging Face's generate.

    Ninety-six searches with 1 to 4 beams, four length penalties, with and without end.
    """
    model, cases = golden()
    held = step.hold(model)
    for case in cases:
        options = dict(case)
        prompt, new, score = (options.pop(k) for k in ("prompt", "new_ids", "score"))
        value = step.beam_search(held, prompt, **options)
        expect_text(value, prompt + new, score, call(prompt, options))


if __name__ == "__main__":
    check_file(__file__)

"""Checks the encore contrastive decoding: logits, penalty and search."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from course.check_program import check_file
from course.checks import (
    CheckFailed,
    as_plain,
    compared,
    expect_numbers,
    kind_of,
    require,
)
from course.messages import Array
from tests import contrast_models
from tests.oracle import contrast as oracle
from tests.oracle.notes import Aside, note

GOLDEN = Path(__file__).parent / "golden"
BOTH = np.float32, np.float64
# The expert's probabilities. Those of the amateur have another order.
EXPERT = np.log([0.05, 0.5, 0.07, 0.26, 0.12])
AMATEUR = np.log([0.3, 0.25, 0.05, 0.3, 0.1])
END = 4  # the tables' end token


def shown(numbers):
    return str(np.round(numbers.astype(float), 2).tolist())


def expect_contrasted(step, expert, amateur, **options):
    """Requires the oracle's logits, in both dtypes."""
    settings = {"alpha": 0.1, "beta": 0.5} | options
    more = "".join(f", {k}={v}" for k, v in options.items())
    for dtype in BOTH:
        pair = np.array(expert, dtype), np.array(amateur, dtype)
        for name, logits in zip(("expert", "amateur"), pair, strict=True):
            note(f"the {name}'s logits", logits)
            note(f"the {name}'s probabilities", np.array(oracle.shares(logits)))
        note("expert minus amateur", pair[0] - pair[1])
        expected = np.array(oracle.contrasted(*(x.tolist() for x in pair), **settings))
        asked = (
            f"contrastive_logits({', '.join(map(shown, pair))}{more}), {dtype.__name__}"
        )
        value = step.contrastive_logits(*pair, **options)
        expect_numbers(aligned(value, expected), expected, asked)


def aligned(value, expected):
    """Shifts right logits to the expected ones: a shift changes no probability."""
    numbers = isinstance(value, Array) and value.shape == list(expected.shape)
    if not numbers or not np.isfinite(top := value.values.max(initial=-np.inf)):
        return value
    shifted = replace(value, values=value.values + (expected.max() - top))
    return value if compared(shifted, expected, "").wrong.any() else shifted


def expect_penalties(step, candidates, context):
    """Requires the oracle's penalties, in both dtypes."""
    for dtype in BOTH:
        pair = np.array(candidates, dtype), np.array(context, dtype)
        products = (pair[0] @ pair[1].T).astype(float)
        rows = [[oracle.cosine(c, x) for x in pair[1]] for c in pair[0]]
        note("the cosine similarities", np.array(rows))
        note("the dot products", products)
        note(Aside("the mean of the cosine similarities"), np.mean(rows, axis=1))
        note(Aside("the largest dot product"), products.max(axis=1))
        expected = np.array([oracle.penalty(c, pair[1]) for c in pair[0]])
        shapes = " and ".join(str(list(x.shape)) for x in pair)
        asked = f"degeneration_penalty of {shapes}, {dtype.__name__}"
        expect_numbers(
            step.degeneration_penalty(*pair), expected, asked, axes="candidate"
        )


def by_token(probabilities, vectors):
    """A model in which the last token alone decides."""
    logits = np.log(probabilities)
    logits += np.linspace(-3, 3, len(logits))[:, None]  # no effect on softmax
    return contrast_models.Reader(np.float32(logits), np.float32(vectors))


def random_model(seed, tokens=7):
    """A model in which the whole text decides, so that no two texts are alike."""
    rng = np.random.default_rng(seed)
    table, vectors = rng.normal(0, 1.5, (4999, tokens)), rng.normal(0.4, 1, (4999, 5))
    return contrast_models.Reader(np.float32(table), np.float32(vectors), True)


@cache
def golden():
    cases = json.loads((GOLDEN / "contrastive.json").read_text(encoding="utf-8"))
    return contrast_models.GoldenReader(GOLDEN / "odd"), cases["searches"]


def call(prompt, options):
    more = "".join(f", {k}={v}" for k, v in options.items())
    return f"contrastive_search(model, {prompt}{more})"


def expect_text(value, expected, prompt, asked, explain=None):
    """Requires these ids; ``explain`` says more where they begin to differ."""
    got = as_plain(value)
    if not isinstance(got, list) or any(isinstance(token, list) for token in got):
        facts = [("called", asked), ("yours", kind_of(value))]
        raise CheckFailed("The result is not a list of ids.", facts, got)
    if got == expected:
        return
    facts = [("called", asked), ("expected", f"{expected}"), ("yours", f"{got}")]
    pairs = enumerate(zip(got, expected, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), min(len(got), len(expected)))
    if len(prompt) <= same < min(len(got), len(expected)) and explain:
        facts += explain(expected[:same], got[same])
    message = "That is not the text to be found."
    symptom = explain_text(got, expected, prompt)
    raise CheckFailed(message, facts, got, symptom=symptom)


def explain_text(got, expected, prompt):
    """Says in a sentence how a text differs from the right one; None if unknown."""
    if got == expected[len(prompt) :]:
        return "Yours has the new ids alone: the prompt is missing in front of them."
    if got == expected[: len(got)]:
        return "Yours is the beginning of the right text: the end is missing."
    if expected == got[: len(expected)]:
        return "Yours goes on after the end of the right text."
    if got[: len(prompt)] != prompt:
        return "Yours does not even begin with the prompt."
    return None


def candidate_facts(model, options):
    """What the candidates after a text are, and which of them was taken."""
    top_k, alpha = options["top_k"], options["penalty_alpha"]

    def facts(ids, taken):
        found = oracle.candidates(model, ids, top_k, alpha)
        places = {c.token: place for place, c in enumerate(found, start=1)}
        rows = [
            f"{c.token}: {1 - alpha:.2g} · {c.probability:.3f} − {alpha:.2g} · "
            f"{c.penalty:.3f} = {c.score:.3f}"
            for c in found[:4]
        ]
        which = f"candidate {places[taken]}" if taken in places else "no candidate"
        rows.append(f"yours is {taken}, {which}")
        return [("after", f"{ids}"), *(("candidate", row) for row in rows)]

    return facts


def search(step, model, prompt, **options):
    """Requires the oracle's text."""
    expected = oracle.search(model, prompt, **options)
    value = step.contrastive_search(step.hold(model), prompt, **options)
    explain = candidate_facts(model, options)
    expect_text(value, expected, prompt, call(prompt, options), explain)


def test_difference(step):
    """The new logits are (1 + beta) times the expert's minus beta times the amateur's.

    What only the expert likes gains, and what the amateur likes as well loses. A
    number that is added to all of them makes no difference.
    """
    rng = np.random.default_rng(45)
    expert, amateur = rng.normal(0, 1.5, (2, 11))
    expect_contrasted(step, expert, amateur, alpha=0.15, beta=0.7)
    for beta in (1.0, 0.5, 0.0, 3.0):
        expect_contrasted(step, EXPERT, AMATEUR, alpha=0.01, beta=beta)


def test_plausible(step):
    """A token stays if the expert gives it alpha times the highest probability or more.

    The highest is 0.5 here, so alpha = 0.2 asks for 0.1. All others become -inf.
    """
    for alpha in (0.2, 0.4, 0.9, 0.12):
        expect_contrasted(step, EXPERT, AMATEUR, alpha=alpha, beta=0.5)
    expect_contrasted(step, [2.0, -1.0, 2.0, 1.0], [1, 0, 0, 1], alpha=1.0, beta=0.5)


def test_expert_decides(step):
    """What is plausible depends on the expert alone, however large a difference is.

    The expert finds the first token nearly impossible, and the amateur still more so:
    the token has the largest difference, and is removed.
    """
    expert, amateur = [-12.0, 3.0, 2.5, 0.0], [-60.0, 4.0, 1.0, 9.0]
    for alpha in (0.1, 0.5, 0.01):
        expect_contrasted(step, expert, amateur, alpha=alpha, beta=1.0)
        expect_contrasted(step, expert[::-1], amateur, alpha=alpha, beta=1.0)


def test_shifted(step):
    """Plausibility is about probabilities, so a shift of all logits changes nothing.

    Logits may be large, too: exp(1000) does not fit in any float.
    """
    for shift in (-30, 30, 1000, -1000):
        expect_contrasted(step, EXPERT + shift, AMATEUR, alpha=0.2, beta=0.5)
        expect_contrasted(step, EXPERT, AMATEUR - shift, alpha=0.2, beta=0.5)


def test_defaults(step):
    """Without options, alpha is 0.1 and beta is 0.5, as O'Brien and Lewis have them."""
    expert, amateur = np.random.default_rng(2).normal(0, 1.5, (2, 13))
    expect_contrasted(step, expert, amateur)
    expect_contrasted(step, expert, amateur, beta=2.0)
    expect_contrasted(step, expert, amateur, alpha=0.5)


def test_penalty(step):
    """The penalty is the largest cosine similarity with a token of the context.

    One token that is like the candidate is enough, wherever it stands in the text.
    """
    rng = np.random.default_rng(3)
    expect_penalties(step, rng.normal(0.4, 1, (3, 5)), rng.normal(0.4, 1, (4, 5)))
    candidates = [[1, 0], [0, 2], [3, 4]]
    expect_penalties(step, candidates, [[1, 0], [0.6, 0.8], [1, 0.2], [-1, 0]])
    expect_penalties(step, rng.normal(0, 1, (5, 5)), rng.normal(0, 1, (5, 5)))


def test_lengths(step):
    """Only directions count: a longer or a shorter vector has the same penalty.

    Dot products alone would mistake a long vector for a similar one.
    """
    rng = np.random.default_rng(4)
    candidates, context = rng.normal(0, 1, (3, 6)), rng.normal(0, 1, (5, 6))
    longer = np.array([0.01, 30, 1, 5, 200])[:, None]
    expect_penalties(step, candidates, context * longer)
    expect_penalties(step, candidates * longer[:3], context)


def test_opposite(step):
    """A similarity may be negative, and so may the largest of them.

    A candidate that points away from the whole text repeats nothing of it.
    """
    expect_penalties(step, [[1, 1, 0.2], [1, 0.1, 0]], [[-1, -0.5, 0], [-1, -2, -0.1]])


def test_one(step):
    """There may be one candidate, or a context of one token; the same state gives 1."""
    rng = np.random.default_rng(5)
    one, many = rng.normal(0, 1, (1, 4)), rng.normal(0, 1, (3, 4))
    for candidates, context in [(one, many), (many, one), (one, one), (many, many)]:
        expect_penalties(step, candidates, context)


def test_score(step):
    """Each new token has the highest contrastive score: probability less penalty.

    Only the top_k likeliest tokens can be written.
    """
    options = {"top_k": 4, "penalty_alpha": 0.35, "max_new_tokens": 20}
    search(step, random_model(49, tokens=23), [1, 4], **options)
    for seed in range(31, 36):
        for top_k, alpha in [(2, 0.3), (4, 0.6), (6, 0.15)]:
            options = {"top_k": top_k, "penalty_alpha": alpha, "max_new_tokens": 6}
            search(step, random_model(seed), [1, 4], **options)


def test_greedy(step):
    """Without a penalty, and also with a single candidate, the search is greedy.

    With penalty_alpha = 0 only the probability counts.
    """
    for top_k, alpha in [(4, 0.0), (1, 0.6), (1, 1.0)]:
        options = {"top_k": top_k, "penalty_alpha": alpha, "max_new_tokens": 5}
        search(step, random_model(1), [3, 1], **options)


# After 0 the likeliest token is 0 again. Token 1 is less likely, and points elsewhere.
CIRCLE = [
    [0.48, 0.3, 0.12, 0.06, 0.04],
    [0.5, 0.2, 0.15, 0.08, 0.07],
    [0.1, 0.15, 0.5, 0.2, 0.05],
    [0.4, 0.1, 0.22, 0.18, 0.1],
    [0.3, 0.25, 0.2, 0.14, 0.11],
]
PLANE = [[1, 0], [0.6, 1], [-0.3, 1], [-1, 0.2], [-0.5, -1]]


def test_repetition(step):
    """A likely token loses if its hidden state is like one that the text has.

    Greedy choice would write 0 for ever. Its state is that of the prompt's 0.
    """
    for alpha in (0.2, 0.5, 0.8):
        options = {"top_k": 3, "penalty_alpha": alpha, "max_new_tokens": 4}
        search(step, by_token(CIRCLE, PLANE), [0], **options)


def test_candidates(step):
    """Only the top_k likeliest tokens are tried, even if another repeats less."""
    for top_k in (2, 3, 4):
        options = {"top_k": top_k, "penalty_alpha": 1.0}
        search(step, by_token(CIRCLE, PLANE), [2, 0], **options, max_new_tokens=1)
        search(step, random_model(12), [2, 0], **options, max_new_tokens=4)


# Three tokens are equally likely after any token.
TIES = [[0.4, 0.2, 0.2, 0.2]] * 4


def test_ties(step):
    """Of equally likely tokens, those with the lower ids are candidates."""
    vectors = [[1, 0], [1, 1], [0, 1], [-1, 1]]
    for top_k in (2, 3, 4):
        options = {"top_k": top_k, "penalty_alpha": 1.0, "max_new_tokens": 1}
        search(step, by_token(TIES, vectors), [0], **options)


def test_own_state(step):
    """A candidate's state is its own, the last one, and the context is all before it.

    The state at the end of the old text belongs to that text's last token.
    """
    for seed in range(2, 7):
        options = {"top_k": 3, "penalty_alpha": 0.9, "max_new_tokens": 4}
        search(step, random_model(seed), [5, 2, 6], **options)


# After 0 no token is likely, so the penalty decides, unless the probabilities of the
# three candidates are made to sum to 1.
FLAT = [[0.28, 0.17, 0.16, 0.14, 0.13, 0.12]] * 6
FAN = [[1, 0.45], [1, 0], [1, -0.9], [1, 2], [0.5, 1], [1, 0.1]]


def test_probability_of_all(step):
    """A candidate's probability is its share among all V tokens.

    Shares among the candidates would be larger, and weigh more against the penalty.
    """
    for alpha in (0.3, 0.4, 0.45):
        options = {"top_k": 3, "penalty_alpha": alpha, "max_new_tokens": 3}
        search(step, by_token(FLAT, FAN), [1], **options)
        search(step, random_model(20, tokens=23), [1], **options)


def test_whole_text(step):
    """The model reads the whole text for every token, the prompt first.

    What follows may depend on any earlier word. The prompt itself stays as it is.
    """
    model, prompt = random_model(8), [3, 1, 6, 0, 5] * 4
    held = step.hold(list(prompt))
    options = {"top_k": 4, "penalty_alpha": 0.4, "max_new_tokens": 12}
    expected = oracle.search(model, prompt, **options)
    value = step.contrastive_search(step.hold(model), held, **options)
    asked = call(prompt, options)
    expect_text(value, expected, prompt, asked, candidate_facts(model, options))
    message = "The list prompt_ids has changed; make a new one instead."
    require(as_plain(held.call("copy")) == prompt, message, asked, "changed")


def test_large_logits(step):
    """Logits may be large: exp(1000) does not fit in any float.

    They may lie far apart, too; then one token has nearly all the probability.
    """
    for factor, shift, alpha in [(1, 1000, 0.5), (1, -1000, 0.5), (60, 0, 0.9)]:
        model = random_model(9)
        model.table = model.table * np.float32(factor) + np.float32(shift)
        options = {"top_k": 3, "penalty_alpha": alpha, "max_new_tokens": 5}
        search(step, model, [2], **options)


def test_few_tokens(step):
    """A vocabulary may have fewer tokens than top_k asks for; then all are tried."""
    options = {"top_k": 9, "penalty_alpha": 0.6, "max_new_tokens": 5}
    search(step, random_model(10, tokens=3), [1], **options)


def test_end(step):
    """The text ends with the end token, which stays in it.

    Without an end, or where the end is never written, the text has its full length.
    """
    for end in (2, 5, None):
        options = {"top_k": 3, "penalty_alpha": 0.6, "max_new_tokens": 14}
        search(step, random_model(11), [1, 3], **options, eos_token_id=end)


def test_end_in_the_prompt(step):
    """An end in the prompt stops nothing, and any id can be the end, 0 as well."""
    for end in (END, 0):
        options = {"top_k": 3, "penalty_alpha": 0.6, "max_new_tokens": 14}
        search(step, random_model(11), [1, END, 0, 2], **options, eos_token_id=end)


def test_equal_to_hugging_face(step):
    """On a small GPT-2 the texts are those of Hugging Face's contrastive search."""
    model, cases = golden()
    held = step.hold(model)
    for case in cases:
        options = dict(case)
        prompt, new = options.pop("prompt"), options.pop("new_ids")
        value = step.contrastive_search(held, prompt, **options)
        expect_text(value, prompt + new, prompt, call(prompt, options))


if __name__ == "__main__":
    check_file(__file__)

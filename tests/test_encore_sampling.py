"""Checks the encore sampling: from a model's logits to the drawn token."""

import json
from functools import cache
from pathlib import Path

import numpy as np

from course.check_program import check_file
from course.checks import (
    CheckFailed,
    as_plain,
    compared,
    expect_array,
    expect_numbers,
    require,
)
from course.comparison import collected
from tests import draws, fakes
from tests.oracle import model as oracle
from tests.oracle.notes import note

GOLDEN = Path(__file__).parent / "golden" / "decoding.json"
BOTH = np.float32, np.float64
GONE = -np.inf
# The running sums, likeliest first, are 0.5, 0.75, 0.9 and 1.
SHARES = np.array([0.1, 0.5, 0.15, 0.25])
DRAWS = 2000
FOUR_ALIKE = np.array([0, GONE, 0, 0, GONE, 0])  # a quarter each, exactly


def call(name, logits, *args, **options):
    shown = [str(np.round(logits, 2).tolist()).replace("-inf", "-∞"), *map(str, args)]
    shown += [f"{k}={v}" for k, v in options.items()]
    kind = f", {logits.dtype}" if logits.dtype == np.float32 else ""
    return f"{name}({', '.join(shown)}){kind}"


def expect_kept(value, ids, expected, asked, *, gone=GONE):
    """Requires that only ``ids``, or only this number of ids, are kept."""
    got = expect_array(value, list(expected.shape), asked)
    kept = np.flatnonzero(got != gone).tolist()
    if (len(kept) if isinstance(ids, int) else kept) == ids:
        return
    wanted = f"just {ids} of them" if isinstance(ids, int) else f"the ids {ids}"
    facts = [("called", asked), ("expected", f"to keep {wanted}")]
    facts.append(("yours", f"keeps the ids {kept}"))
    known = None if isinstance(ids, int) else compared(value, expected, asked)
    raise CheckFailed("The wrong tokens are kept.", facts, got, known)


def expect_filter(step, name, logits, argument, ids):
    """Requires that a filter keeps these ids' logits unchanged, in both dtypes."""
    for dtype in BOTH:
        given = np.array(logits, dtype)
        asked = call(name, given, argument)
        note("the logits", given)
        note("the probabilities", oracle.softmax(given.astype(float)))
        value = getattr(step, name)(given, argument)
        if isinstance(ids, int):  # which of equals are kept is free
            got = expect_array(value, list(given.shape), asked)
            expected = np.where(got == GONE, GONE, given)
        else:
            expected = np.where(np.isin(np.arange(len(given)), ids), given, GONE)
        if collected() is None:
            expect_kept(value, ids, expected, asked)
        expect_numbers(value, expected, asked)


def expect_probabilities(step, logits, previous_ids, kept, expected, **options):
    """Requires that only these ids can be drawn, with these probabilities."""
    asked = call("next_token_probabilities", logits, previous_ids, **options)
    note("the logits", logits)
    value = step.next_token_probabilities(logits, previous_ids, **options)
    if collected() is None:
        expect_kept(value, kept, expected, asked, gone=0)
    expect_numbers(value, expected, asked)


def expect_order(step, logits, previous_ids, kept, **options):
    """Requires the probabilities softmax(logits / temperature) over these ids."""
    logits = np.array(logits, np.float64)
    left = np.full_like(logits, GONE)
    left[kept] = logits[kept] / (options.get("temperature") or 1)
    expected = oracle.softmax(left)
    expect_probabilities(step, logits, previous_ids, kept, expected, **options)


def expect_several(runs, models, asked):
    """Requires that the draws differ; the message names a token drawn every time."""
    if any(len(set(run)) > 1 for run in runs):
        return
    first, best = [run[0] for run in runs], [logits.argmax() for logits in models]
    kind = "likeliest" if first == best else "same"
    message = f"The {kind} token is drawn every time."
    raise CheckFailed(message, [("called", asked)], kind)


def drawn(ids, logits, asked):
    """Ids that have to be drawn from softmax(logits)."""
    p = oracle.softmax(logits.astype(float))
    twice = oracle.softmax(np.where(p > 0, p, GONE))
    guesses = {"all tokens alike": (p > 0) / (p > 0).sum(), "softmax twice": twice}
    guesses["a token's rank as its id"] = np.sort(p)[::-1]
    return draws.Draws(ids, p, guesses, asked)


@cache
def golden():
    return json.loads(GOLDEN.read_text(encoding="utf-8"))["processors"]


def test_softmax(step):
    """softmax makes probabilities that sum to 1, and exactly 0 of -inf.

    What a filter has removed must never be drawn, however often one draws.
    """
    for dtype in BOTH:
        logits = np.array([1.5, -0.5, GONE, 3, 0], dtype)
        expected = oracle.softmax(logits.astype(float))
        asked = call("softmax", logits)
        got = expect_numbers(step.softmax(logits), expected, asked)
        require(got[2] == 0, "-inf has not become exactly 0.", asked, got)


def test_softmax_of_large_logits(step):
    """Large logits give probabilities too: exp(1000) does not fit in any float."""
    for shift in (1000, -1000):
        logits = np.array([1, 3, -1, GONE], np.float32) + np.float32(shift)
        expected = oracle.softmax(logits.astype(float))
        expect_numbers(step.softmax(logits), expected, call("softmax", logits))


def test_temperature(step):
    """The temperature divides the logits.

    Above 1 rare tokens gain, below 1 they lose, and 1 changes nothing.
    """
    for dtype in BOTH:
        for temperature in (2.0, 0.01, 1.0):
            logits = np.array([1.5, -0.5, GONE, 3], dtype)
            value = step.temperature_scale(logits, temperature)
            asked = call("temperature_scale", logits, temperature)
            expect_numbers(value, logits.astype(float) / temperature, asked)


def test_temperature_zero(step):
    """Temperature 0 leaves the likeliest token alone, of equals the lowest id.

    That is greedy choice; dividing by 0 would give infinities and NaNs.
    """
    for logits, best in [([1, 3, 2, GONE], 1), ([-1, -2, -1], 0)]:
        logits = np.array(logits, np.float32)
        asked = call("temperature_scale", logits, 0)
        value = step.temperature_scale(logits, 0)
        alone = np.where(np.arange(len(logits)) == best, logits, GONE)
        expect_kept(value, [best], alone, asked)


def test_top_k(step):
    """Top-k keeps the k highest logits as they are and sets all others to -inf."""
    for k, ids in [(1, [1]), (2, [1, 3]), (4, [0, 1, 3, 4])]:
        expect_filter(step, "top_k_filter", [1, 3, -2, 2, 0.5], k, ids)


def test_top_k_keeps_all(step):
    """Top-k keeps everything for k = 0, and where k is V or more.

    What was -inf before stays -inf.
    """
    for k in (0, 5, 9):
        expect_filter(step, "top_k_filter", [1, 3, -2, 2, 0.5], k, [0, 1, 2, 3, 4])
        expect_filter(step, "top_k_filter", [GONE, 1, GONE, 0, 2], k, [1, 3, 4])
    expect_filter(step, "top_k_filter", [GONE, 1, GONE, 0, 2], 4, [1, 3, 4])


def test_top_k_of_equals(step):
    """Exactly k tokens stay: of equal logits those with the lower ids.

    A threshold would keep all that are equal to the k-th.
    """
    for logits, k, ids in [
        ([2, 3, 2, 1, 2], 2, [0, 1]),
        ([3, 3, 2, 1], 2, [0, 1]),
        ([2, 3, 2, 1, 2], 3, [0, 1, 2]),
        ([0.5] * 40, 7, list(range(7))),
        ([0, 2] * 100, 31, list(range(1, 63, 2))),
        ([0, 2] * 100, 80, list(range(1, 161, 2))),
    ]:
        expect_filter(step, "top_k_filter", logits, k, ids)


def test_top_p(step):
    """Top-p keeps the likeliest tokens, up to the one that crosses p.

    A token stays while the probability of those before it is below p.
    """
    for p, ids in [(0.6, [1, 3]), (0.8, [1, 2, 3]), (0.95, [0, 1, 2, 3])]:
        expect_filter(step, "top_p_filter", np.log(SHARES), p, ids)


def test_top_p_below_the_largest(step):
    """Top-p always keeps a token, even if p is below its probability, or 0."""
    for p in (0.3, 0.01, 0.0):
        expect_filter(step, "top_p_filter", np.log(SHARES), p, [1])


def test_top_p_on_the_line(step):
    """When the tokens' probabilities are just p, no further token is kept.

    Here each has a quarter, exactly.
    """
    for p, count in [(0.25, 1), (0.5, 2), (0.75, 3), (0.51, 3)]:
        expect_filter(step, "top_p_filter", FOUR_ALIKE, p, count)


def test_top_p_of_one(step):
    """Top-p of 1 keeps all, also tokens so rare that they do not change the sum."""
    for logits, ids in [([0, -60, 3, -50], [0, 1, 2, 3]), (FOUR_ALIKE, [0, 2, 3, 5])]:
        expect_filter(step, "top_p_filter", logits, 1.0, ids)
    expect_filter(step, "top_p_filter", [0, -60, 3, -50], 0.9999, [0, 2])


def test_min_p(step):
    """Min-p keeps the tokens with at least p times the highest probability.

    If the highest is 0.5, p = 0.25 asks for 0.125 or more.
    """
    for p, ids in [(0.25, [1, 2, 3]), (0.4, [1, 3]), (0.9, [1]), (0.0, [0, 1, 2, 3])]:
        expect_filter(step, "min_p_filter", np.log(SHARES), p, ids)
    expect_filter(step, "min_p_filter", [2, GONE, 0, 2], 1.0, [0, 3])


def test_penalty(step):
    """The penalty makes used tokens less likely: logits < 0 times p, others ÷ p.

    A negative logit that is divided comes nearer to 0: it becomes likelier.
    """
    for dtype in BOTH:
        for penalty in (2.0, 0.5, 1.0):
            logits = np.array([3, -3, 0, 1.5, -1, GONE], dtype)
            low, high = -3 * penalty, 3 / penalty
            expected = np.array([high, low, 0, 1.5, -1, GONE])
            value = step.apply_repetition_penalty(logits, [0, 1, 2, 5], penalty)
            asked = call("apply_repetition_penalty", logits, [0, 1, 2, 5], penalty)
            expect_numbers(value, expected, asked)


def test_penalty_once(step):
    """Every token of prompt and text counts, and counts once, however often used.

    Otherwise "the" would soon be impossible. With nothing used, nothing changes.
    """
    logits = np.array([3.0, -3.0, 2.0, 1.5, -1.0])
    for used in ([4, 0, 1, 1, 0, 0, 3], []):
        changed = [2, -4.5, 2, 1, -1.5] if used else logits
        asked = call("apply_repetition_penalty", logits, used, 1.5)
        value = step.apply_repetition_penalty(logits, used, 1.5)
        expect_numbers(value, np.array(changed, float), asked)


def test_penalty_of_a_long_text(step):
    """A token counts wherever it stands in prompt and text, the first one too.

    Texts are long: what was said a thousand tokens ago is still a repetition.
    """
    logits = np.array([3.0, -3.0, 2.0, 1.5, -1.0])
    used = (3, *[0, 1] * 1000, 4)  # 3 and 4 stand at the two ends alone
    asked = call("apply_repetition_penalty", logits, "3, a thousand 0, 1, then 4", 1.5)
    value = step.apply_repetition_penalty(logits, used, 1.5)
    expect_numbers(value, np.array([2, -4.5, 2, 1, -1.5]), asked)


def test_defaults(step):
    """Without options, the probabilities are softmax of the logits.

    Every token can be drawn, wherever it stands and however often it was used.
    """
    for dtype in BOTH:
        logits = np.array([1.5, -0.5, -30, 3, 0.1], dtype)
        expected = oracle.softmax(logits.astype(float))
        expect_probabilities(step, logits, [3, 3, 1], [0, 1, 2, 3, 4], expected)
    for size in (5, 120):  # a usual top_k keeps fewer than 120
        logits = np.linspace(-1, 1, size)
        expected = oracle.softmax(logits.astype(float))
        asked = call("next_token_probabilities", logits)
        expect_numbers(step.next_token_probabilities(logits), expected, asked)


def test_temperature_comes_first(step):
    """The temperature comes before the filters, and so changes what they keep.

    Temperature 2 makes 0.61, 0.31 and 0.08 flatter: then the first has less than
    0.55, and top-p keeps a second. With the temperature last it would keep one.
    """
    logits = np.log([0.08, 0.61, 0.31])
    expect_order(step, logits, [], [1, 2], temperature=2.0, top_p=0.55)
    expect_order(step, logits, [], [1, 2], temperature=2.0, min_p=0.6)
    expect_order(step, logits, [], [1], temperature=0, top_p=0.9, min_p=0.1)


def test_order_of_the_filters(step):
    """The penalty comes first, then top-k, top-p and min-p.

    Each filter's probabilities are those of the tokens that the one before has left.
    """
    shares = np.log([0.1, 0.4, 0.2, 0.3])
    expect_order(step, shares, [], [1], top_k=2, top_p=0.5)
    shares = np.log([0.1, 0.4, 0.1, 0.3, 0.1])
    expect_order(step, shares, [], [1, 3], top_p=0.55, min_p=0.5)
    penalty = {"repetition_penalty": 2.0}
    expect_order(step, [2, 1.5, -1], [0, 0], [1], **penalty, top_k=1)
    expect_order(step, [2, 1.5, -1], [0, 0], [1], **penalty, temperature=0)


def test_equal_to_hugging_face(step):
    """On random logits the probabilities are those of Hugging Face's processors.

    Thirty-six combinations of options, in float32 and float64.
    """
    for case in golden():
        logits = np.array(case["logits"], case["dtype"])
        expected = np.array(case["probabilities"])
        kept = np.flatnonzero(expected).tolist()
        expect_probabilities(
            step, logits, case["seen"], kept, expected, **case["options"]
        )


def test_top_tokens(step):
    """top_tokens lists the likeliest tokens, best first, as (id, probability)."""
    for dtype in BOTH:
        shares = SHARES.astype(dtype)
        best = [(i, shares[i]) for i in (1, 3, 2, 0)]
        for count in (2, 1, 4, 9):
            asked = call("top_tokens", shares, count)
            got = as_plain(step.top_tokens(shares, count))
            expected = [[i, p] for i, p in best[:count]]
            close = np.shape(got) == np.shape(expected) and np.allclose(got, expected)
            require(close, f"The list should be {best[:count]}.", asked, got)


def test_draws(step):
    """sample draws each token as often as its probability says.

    Never a removed one, and not always the likeliest.
    """
    logits = np.log([0.5, 0.15, 1, 0.05, 0.3]).astype(np.float32)
    logits[2] = GONE
    models = [logits, logits[::-1]]
    sample, rng = step.module.get("sample"), np.random.default_rng(0)
    draw = step.hold(fakes.draw)
    runs = [draw(sample, logits, rng, DRAWS) for logits in models]
    asked = [f"{call('sample', logits, 'rng')}, {DRAWS} times" for logits in models]
    expect_several(runs, models, asked[0])
    draws.expect_drawn(list(map(drawn, runs, models, asked)))


def test_rng(step):
    """All randomness comes from rng: equal generators draw equal tokens.

    So a text can be written again. Sixty equal draws of eight tokens are no chance.
    """
    logits, asked = np.zeros(8), "sample(logits, rng), 60 times"
    sample, draw = step.module.get("sample"), step.hold(fakes.draw)

    def sixty(rng):
        return draw(sample, logits, rng, 60)

    def seeded(seed):
        return np.random.default_rng(seed)

    once = sixty(seeded(5))
    require(once == sixty(seeded(5)), "Equal generators drew different tokens.", asked)
    require(once != sixty(seeded(6)), "Different generators drew the same.", asked)
    held = step.hold(seeded(5))
    message = "A generator drew the same again: it is copied, not used."
    require(sixty(held) != sixty(held), message, asked)


if __name__ == "__main__":
    check_file(__file__)

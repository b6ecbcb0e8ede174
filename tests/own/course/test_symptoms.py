"""The search for a symptom finds each difference that it knows, and invents none."""

from dataclasses import replace

import numpy as np
import pytest

from course import symptoms
from course.comparison import Comparison


def explain(comparisons: list[Comparison]) -> str | None:
    """The text of a symptom."""
    found = symptoms.explain(comparisons)
    return found.text if found else None


def whole(comparisons: list[Comparison]) -> str | None:
    """The text of a symptom that says what yours is."""
    found = symptoms.explain(comparisons)
    return found.text if found and found.whole else None


AXES = ("text", "token", "channel")
SHAPES = [[(2, 5, 6), (3, 4, 12)], [(4, 6, 18), (2, 3, 6)], [(3, 7, 6)]]
GRID = ("row", "column")


def compare(
    yours, expected, *, known=None, axes=AXES, call="f(x)", tolerance=2e-5
) -> Comparison:
    """A comparison of float32 numbers, as a learner's code gives them."""
    yours = np.asarray(yours, np.float32)
    expected = np.asarray(expected, np.float64)
    return Comparison(call, yours, expected, known or {}, axes, tolerance)


def numbers(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(0, 1.5, shape)


def changed(change, shapes=SHAPES[0], **more) -> list[Comparison]:
    """A comparison for each shape: the right numbers, changed."""
    rights = [numbers(*shape, seed=1) for shape in shapes]
    return [compare(change(right.copy()), right, **more) for right in rights]


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def filled(x):
    return np.concatenate([np.zeros_like(x[:, :1]), x[:, :-1]], 1)


def cut_in_two(x):
    return x.reshape(*x.shape[:2], 2, -1)


def digits(x):
    return x.astype(np.float16)


TRANSFORMED = [
    (lambda x: x[:, ::-1], "The tokens of yours are in reverse order."),
    (
        lambda x: np.roll(x, 1, 1),
        "Each token of yours has the right result of the token before it, and the "
        "first one that of the last.",
    ),
    (
        lambda x: x[:, np.minimum(np.arange(x.shape[1]) + 1, x.shape[1] - 1)],
        "Each token of yours has the right result of the token after it; the last one "
        "has its own.",
    ),
    (
        filled,
        "Each token of yours has the right result of the token before it; the first "
        "one has another result.",
    ),
    (
        lambda x: np.broadcast_to(x[:, :1], x.shape),
        "Every token of yours has the result of the first token.",
    ),
    (
        lambda x: np.broadcast_to(x[-1:], x.shape),
        "Every text of yours has the result of the last text.",
    ),
    (
        lambda x: np.concatenate(np.split(x, 2, -1)[::-1], -1),
        "The two halves of the channels are exchanged in yours.",
    ),
    (
        lambda x: np.concatenate([np.split(x, 3, -1)[i] for i in (1, 0, 2)], -1),
        "The thirds of the channels are in the order second, first and third.",
    ),
    (
        lambda x: np.concatenate([np.split(x, 3, -1)[0]] * 3, -1),
        "All 3 groups of {thirds} channels have the result of the first.",
    ),
    (
        lambda x: cut_in_two(x).swapaxes(-1, -2).reshape(x.shape),
        "The channels of yours are in turns from 2 groups: {turns}.",
    ),
    (
        lambda x: cut_in_two(x)[..., ::-1].reshape(x.shape),
        "The channels are in reverse order in each of 2 groups.",
    ),
    (
        lambda x: cut_in_two(x).swapaxes(1, 2).reshape(x.shape),
        "Yours has the right numbers, in the order [text, group of channels, token, "
        "channel] (2 groups): reshape moves no number, so token and group of channels "
        "need a transpose.",
    ),
    (
        lambda x: x.swapaxes(0, 1).reshape(x.shape),
        "Yours has the right numbers, in the order [token, text, channel]: reshape "
        "moves no number, so text and token need a transpose.",
    ),
    (
        lambda x: np.cumsum(x, 1),
        "Yours is the running sum of the right result along the tokens.",
    ),
    (
        lambda x: np.broadcast_to(x.mean(1, keepdims=True), x.shape),
        "Yours has the mean over the tokens in place of each.",
    ),
    (
        lambda x: np.sort(x, -1),
        "Yours is the right result sorted along the channels, upwards.",
    ),
    (np.zeros_like, "Every number of yours is 0."),
    (lambda x: -x, "Yours is the right result with all signs exchanged."),
    (lambda x: 2 * x, "Yours is the right result times 2."),
    (lambda x: x / 7, "Yours is the right result times 1/7."),
    (lambda x: x * 12**0.5, "Yours is the right result times 3.464 = √12."),
    (lambda x: x + 1, "Yours is the right result plus 1, everywhere."),
    (lambda x: x - 0.25, "Yours is the right result minus 1/4, everywhere."),
    (
        lambda x: x * numbers(*x.shape[:2], 1),
        "Each token of yours is the right one times a factor of its own.",
    ),
    (
        lambda x: x * numbers(x.shape[-1]),
        "Each channel of yours is the right one times a factor of its own.",
    ),
    (
        lambda x: x + numbers(*x.shape[:2], 1),
        "Each token of yours is the right one plus a number of its own.",
    ),
    (
        lambda x: x * numbers(*x.shape[:2], 1) + numbers(*x.shape[:2], 1, seed=5),
        "Each token of yours is the right one times a factor and plus a number of its "
        "own.",
    ),
    (softmax, "Yours is softmax of the right result: it is one softmax too far."),
    (np.exp, "Yours is exp of the right result: a logarithm is missing."),
    (np.abs, "Yours is the right result without its signs."),
    (np.round, "Yours is the right result rounded to whole numbers."),
    (digits, "Yours has only the digits of float16."),
    (
        lambda x: np.random.default_rng(3).permuted(x, axis=-1),
        "Along the channels yours has the right numbers in other places.",
    ),
]


def expected_sentence(sentence: str, shapes) -> str | None:
    """The sentence with what depends on the largest shape; None if shapes disagree."""
    channels = {shape[-1] for shape in shapes}
    if "{" in sentence and len(channels) > 1:
        return None
    n = channels.pop()
    order = np.arange(n).reshape(2, -1).T.ravel()
    turns = ", ".join(map(str, order[:8])) + (", …" if n > 8 else "")
    return sentence.format(thirds=n // 3, turns=turns)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize(("change", "sentence"), TRANSFORMED)
def test_finds_what_changed_the_whole_result(change, sentence, shapes):
    told = explain(changed(change, shapes))
    wanted = expected_sentence(sentence, shapes)
    assert told == wanted if wanted else told.startswith(sentence.partition("{")[0])


@pytest.mark.parametrize(("change", "sentence"), TRANSFORMED)
def test_says_nothing_of_one_call_alone(change, sentence):
    (first, second) = changed(change)
    other = numbers(*second.expected.shape, seed=2)
    assert whole([first, replace(second, yours=other)]) is None
    right = replace(second, yours=second.expected.astype(np.float32))
    assert whole([first, right]) is None


@pytest.mark.parametrize("seed", range(5))
def test_says_nothing_of_random_numbers(seed):
    known = {f"k{i}": numbers(6, seed=i) for i in range(20)}
    known |= {f"x{i}": numbers(2, 5, 6, seed=10 + i) for i in range(10)}
    known |= {"√D": 5**0.5, "T": 0.7}
    for shape in [(2, 5, 6), (5, 6), (6,)]:
        right = numbers(*shape, seed=seed)
        yours = numbers(*shape, seed=seed + 50)
        case = compare(yours, right, known=known, axes=AXES[-len(shape) :])
        assert explain([case]) is None


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ((4, 2, 0), "4 · a + 2 · b; the right result is a + b"),
        ((1, -1, 2), "a − b + 2 · c"),
        ((0.5, 1, 1), "0.5 · a + b + c"),
    ],
)
def test_sums_of_known_quantities(factors, said) -> None:
    known = {name: numbers(2, 5, 6, seed=i) for i, name in enumerate("abc", 10)}
    yours = sum(f * a for f, a in zip(factors, known.values(), strict=True))
    told = explain([compare(yours, known["a"] + known["b"], known=known)])
    assert said in str(told)


def test_a_small_difference() -> None:
    told = explain(changed(lambda x: x + 0.01 * np.sin(40 * x * x)))
    assert "near the right result: it differs by at most 0.01" in str(told)
    assert whole(changed(lambda x: x + 0.01 * np.sin(40 * x * x))) is None


def test_says_nothing_of_right_results():
    assert explain(changed(lambda x: x)) is None


def test_exchanged_axes():
    shapes = [(2, 4, 4), (3, 5, 5)]
    cases = changed(lambda x: x.swapaxes(1, 2), shapes)
    sentence = "Yours is the right result with its last two axes exchanged "
    assert explain(cases) == f"{sentence}(token and channel)."
    symmetric = cases[0].expected + cases[0].expected.swapaxes(1, 2)
    assert explain([cases[1], compare(symmetric, symmetric)]).startswith(sentence)
    assert explain([cases[1], compare(cases[0].expected, cases[0].expected)]) is None


def test_places_in_another_order():
    order = [2, 0, 3, 1, 4]
    told = explain(changed(lambda x: x[:, order], [(2, 5, 6), (3, 5, 4)]))
    assert told == "Yours has the right tokens in another order: 2, 0, 3, 1, 4."
    right = numbers(12)
    yours = right[np.random.default_rng(0).permutation(12)]
    told = explain([compare(yours, right, axes=("token",))])
    assert told.startswith("Yours has the right tokens in another order:")


def test_two_places_exchanged():
    told = explain(changed(lambda x: x[::-1], [(2, 5, 6), (2, 4, 3)]))
    assert told == "The two texts of yours are exchanged."


# --- numbers with a name -----------------------------------------------------------


def scaled(sizes, power=0.5):
    return [
        compare(
            right * size**power, right, known={"√D": size**0.5, "D": size, "H": 3.0}
        )
        for size in sizes
        for right in [numbers(2, 5, size, seed=size)]
    ]


def test_factor_with_a_name():
    sentence = "Yours is the right result times 2.236 = √5 = √D."
    assert explain(scaled([5])) == sentence
    assert explain(scaled([5, 6])) == "Yours is the right result times √D."
    assert explain(scaled([5, 7, 1])) == "Yours is the right result times √D."
    divided = explain(scaled([5, 7], -1))
    assert divided == "Yours is the right result divided by D."


def test_factor_that_is_a_length():
    cases = changed(lambda x: x / x.shape[-1] ** 0.5, [(2, 5, 7), (4, 3, 6)])
    assert explain(cases) == (
        "Yours is the right result divided by the square root of the number of "
        "channels."
    )
    assert explain(cases[:1]) == "Yours is the right result times 0.378 = 1/√7."


def test_factor_is_no_evidence_in_one_number():
    right = numbers(1)
    assert explain([compare(right * 1.37, right, axes=("token",))]) is None
    named = compare(right * 5**0.5, right, axes=("token",), known={"√D": 5**0.5})
    assert explain([named]) == "Yours is the right result times √D."
    several = [numbers(1, seed=i) for i in range(4)]
    cases = [compare(x * 1.37, x, axes=("token",)) for x in several]
    assert explain(cases) == "Yours is the right result times 1.37."


@pytest.mark.parametrize("yours", [1.37, 0.0, -2.5])
@pytest.mark.parametrize("right", [2.5, 0.0])
def test_constant_arrays_are_no_evidence(yours, right):
    case = compare(np.full((3, 4), yours), np.full((3, 4), right), axes=GRID)
    assert explain([case]) is None


def test_loose_tolerance_is_no_evidence():
    right = numbers(2, 5, 6) * 1e-3
    yours = right * 1.5 + 2e-4 * numbers(2, 5, 6, seed=9)
    assert explain([compare(yours, right, tolerance=1e-4)]) is None
    nearly = numbers(2, 5, 6) * (2 + 1e-3 * numbers(2, 5, 6, seed=9))
    assert explain([compare(nearly, numbers(2, 5, 6), tolerance=1e-2)]) is None


def test_tiny_difference_is_no_evidence():
    right = numbers(2, 5, 6)
    noise = np.random.default_rng(0).uniform(-1, 1, right.shape)
    yours = right + 2.4e-5 + 1e-5 * noise  # a constant fits it within the tolerance
    assert whole([compare(yours, right)]) is None


def test_two_numbers_are_no_pattern():
    case = compare(numbers(2, seed=1), numbers(2, seed=2), axes=("token",))
    assert explain([case]) is None


def test_few_ids_are_no_evidence():
    ids, yours = np.array([[4], [1], [0]]), np.array([[1], [0], [4]])
    assert explain([compare(yours, ids, axes=("text", "token"))]) is None
    ids = np.random.default_rng(0).integers(0, 9, (3, 8))
    told = explain([compare(ids[[1, 2, 0]], ids, axes=("text", "token"))])
    assert told.startswith("Each text of yours has the right result of the text after")


def test_one_number_that_is_right_by_chance():
    right, yours = numbers(2, 5, 6), numbers(2, 5, 6, seed=9)
    yours[1, 2, 3] = right[1, 2, 3]
    assert explain([compare(yours, right)]) is None


def test_saturated_softmax_is_no_evidence():
    right = np.eye(4)[[2, 0, 3]]
    yours = 60 * right + numbers(3, 4)
    assert explain([compare(yours, right, axes=GRID)]) is None


def test_few_numbers_on_one_side_of_a_border_are_no_evidence():
    right = numbers(3, 3)
    x = np.array([[3.0, -1, 2], [-1, 4, 2], [-2, 5, -3]])
    yours = np.where(x < 0, right + numbers(3, 3, seed=9), right)
    assert explain([compare(yours, right, known={"x": x}, axes=GRID)]) is None


def test_another_epsilon_is_no_missing_normalization():
    shape = (2, 5, 6)
    known = {"`weight`": np.ones(6), "`bias`": np.zeros(6)}
    x = 1 + numbers(*shape)
    case = compare(normal(x, 0.5), normal(x), known=known)
    assert explain([case]) == (
        "Before `weight` and `bias`: each token of yours is the right one times a "
        "factor of its own."
    )


# --- quantities that are known -----------------------------------------------------


def quantities(shape):
    channels = shape[-1]
    return {
        "x": numbers(*shape, seed=20),
        "attention": numbers(*shape, seed=21),
        "`c_attn.bias`": numbers(3 * channels, seed=22),
        "`ln_1.bias`": numbers(channels, seed=23),
        "`ln_2.bias`": numbers(channels, seed=24),
        "`ln_1.weight`": numbers(channels, seed=25),
        "ids": np.random.default_rng(27).integers(0, 10, shape[:2]),
    }


def with_known(change, shapes=((2, 5, 6), (3, 4, 12))):
    cases = []
    for shape in shapes:
        known, right = quantities(shape), numbers(*shape, seed=1)
        cases.append(compare(change(right, known), right, known=known))
    return cases


KNOWN = [
    (lambda y, k: k["x"], "Yours is just x."),
    (lambda y, k: 0.5 * k["x"], "Yours is x times 1/2."),
    (lambda y, k: y + k["x"], "Yours is the right result plus x."),
    (lambda y, k: y - k["`ln_1.bias`"], "Yours lacks `ln_1.bias`."),
    (
        lambda y, k: y - k["`c_attn.bias`"][k["x"].shape[-1] :][: k["x"].shape[-1]],
        "Yours lacks its third of `c_attn.bias`.",
    ),
    (
        lambda y, k: y - 2 * k["x"],
        "Yours is the right result minus twice x, as if x were subtracted where it "
        "has to be added.",
    ),
    (lambda y, k: y + k["x"] / 3, "Yours is the right result plus x times 1/3."),
    (
        lambda y, k: y * k["`ln_1.weight`"],
        "Yours is the right result times `ln_1.weight`.",
    ),
    (
        lambda y, k: y / k["`ln_1.weight`"],
        "Yours is the right result divided by `ln_1.weight`.",
    ),
    (
        lambda y, k: y + k["`ln_1.bias`"] - k["`ln_2.bias`"],
        "Yours has `ln_1.bias` where `ln_2.bias` belongs.",
    ),
    (
        lambda y, k: y - k["x"] - k["`ln_1.bias`"],
        "Yours lacks x and `ln_1.bias`.",
    ),
    (lambda y, k: k["x"] + k["attention"], "Yours is x plus attention."),
    (lambda y, k: k["x"] - k["attention"], "Yours is x minus attention."),
    (lambda y, k: k["x"] * k["attention"], "Yours is x times attention."),
    (
        lambda y, k: np.where(k["x"] < 0, y + numbers(*y.shape, seed=30), y),
        "Yours differs only where x is negative.",
    ),
    (
        lambda y, k: np.where(k["ids"][..., None] > 6, 1.3 * y, y),
        "Yours differs only where ids is above 6.",
    ),
    (
        lambda y, k: np.where(y > 0, y, 0.1 * y),
        "Yours differs only where the right result is negative.",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), KNOWN)
def test_finds_known_quantities(change, sentence):
    cases = with_known(change)
    assert explain(cases) == sentence
    right = replace(cases[1], yours=cases[1].expected)
    if "only where" not in sentence:
        assert explain([cases[0], right]) is None
        unnamed = replace(right, known={})
        assert explain([cases[0], unnamed]) == sentence


def test_results_exchanged():
    parts = {f"the {name}": numbers(2, 5, 6, seed=i) for i, name in enumerate("qkv")}
    names = list(parts)

    def answer(order, known):
        return [
            compare(parts[b], parts[a], call=f"{a[4:]} of f(x)", known=known)
            for a, b in zip(names, order, strict=True)
        ]

    sentence = "Yours is the v where the k is asked for; yours is the k where the v is "
    for known in ({}, parts):
        told = explain(answer(["the q", "the v", "the k"], known))
        assert told == f"{sentence}asked for."
    told = explain(answer(["the k", "the k", "the v"], parts))
    assert told == "Yours is the k where the q is asked for."


def test_nothing_has_changed_since():
    before, after = numbers(2, 5, 6, seed=1), numbers(2, 5, 6, seed=2)
    told = explain([compare(before, before), compare(before, after)])
    assert told == (
        "Yours is the result that was right for the same call before, as if nothing "
        "had changed since."
    )


def test_softmax():
    scores = [numbers(3, 5, 5, seed=i) for i in range(2)]
    axes = ("text", "query", "key")
    told = explain([compare(softmax(x, -2), softmax(x), axes=axes) for x in scores])
    assert told == (
        "Yours sums to 1 along the queries; it has to sum to 1 along the keys. Look at "
        "the axis of the softmax."
    )
    told = explain([compare(x, softmax(x), axes=axes) for x in scores])
    assert told == "Softmax is missing: the right result is softmax of yours."
    told = explain([compare(softmax(x), np.log(softmax(x))) for x in scores])
    assert told == "Yours is exp of the right result: a logarithm is missing."


def test_rows_of_a_table():
    table = numbers(9, 6, seed=50)
    ids = [np.array([[3, 1, 4], [1, 5, 8]]), np.array([[2, 6]])]

    def told(choose, asked=ids):
        return explain(
            [compare(table[choose(i)], table[i], known={"wte": table}) for i in asked]
        )

    before = told(lambda ids: ids - 1)
    assert before == "Each row of yours is the row of wte before the right one."
    around = told(lambda ids: (ids + 1) % 9)
    assert around == "Each row of yours is the row of wte after the right one."
    later = told(lambda ids: (ids + 2) % 9)
    assert later == "Each row of yours is the row of wte 2 rows after the right one."
    same = told(lambda ids: np.where(ids < 0, 0, 7))
    assert same == "Every row of yours is row 7 of wte."
    first = told(lambda ids: np.arange(ids.size).reshape(ids.shape))
    assert first == "Yours has the first rows of wte, in their order."
    some = told(lambda ids: np.where(ids == 4, 0, 8 - ids), ids[:1])
    assert some == (
        "Yours has other rows of wte than the right ones: 5, 7, 0, 7, 3, 0 in place of "
        "3, 1, 4, 1, 5, 8."
    )


def test_channels_of_a_wider_array():
    wide = [numbers(2, 5, 18, seed=51), numbers(3, 4, 18, seed=51)]
    cases = [
        compare(x[..., ::3], x[..., :6], known={"c_attn's result": x}) for x in wide
    ]
    sentence = "Yours has other channels of c_attn's result than the right ones."
    assert explain(cases) == sentence


def test_values_of_a_pattern():
    cases = masks(lambda r, c: np.exp(mask(r, c)), SQUARE)
    assert explain(cases) == "Yours is 1 where 0 is right and 0 where −∞ is right."
    right = compare(mask(4, 4), mask(4, 4), axes=GRID)
    assert "1 where 0" not in explain([*cases, right])


def test_what_it_depends_on():
    constant = np.full((2, 5, 6), 2.5)
    by_token = constant * numbers(2, 5, 1)
    told = explain([compare(by_token, constant)])
    assert told == "Yours changes from token to token; the right result does not."
    right = numbers(2, 5, 6)
    told = explain(
        [compare(np.broadcast_to(numbers(1, 5, 6, seed=3), right.shape), right)]
    )
    assert told == "Yours is the same for every text; the right result is not."


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: np.maximum(x, 0), "ReLU"),
        (lambda x: x / (1 + np.exp(-x)), "SiLU, x · sigmoid(x),"),
        (np.tanh, "tanh"),
        (np.square, "the square"),
    ],
)
def test_functions_of_known_quantities(function, words):
    cases = with_known(lambda y, k: function(k["x"]))
    assert explain(cases) == f"Yours is {words} of x."


def test_softmax_of_scaled_logits():
    def cases(factors):
        return [
            compare(softmax(factor * x), softmax(x), axes=GRID, known={"√D": factor})
            for seed, factor in enumerate(factors)
            for x in [numbers(4, 7, seed=seed)]
        ]

    text = "Yours is softmax of the right logits times"
    assert explain(cases([1.7])) == f"{text} 17/10 = √D."
    assert explain(cases([1.7, 1.3])) == f"{text} √D."


def normal(x, eps=1e-5):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps)


NORMS = {
    "`ln_1.weight`": numbers(6, seed=60),
    "`ln_1.bias`": numbers(6, seed=61),
    "`ln_f.weight`": numbers(6, seed=62),
    "`ln_f.bias`": numbers(6, seed=63),
}


def norm(x, name="ln_f", eps=1e-5):
    return normal(x, eps) * NORMS[f"`{name}.weight`"] + NORMS[f"`{name}.bias`"]


@pytest.mark.parametrize(
    ("yours", "right", "sentence"),
    [
        (
            lambda x, h: x,
            lambda x, h: norm(x),
            "A layer normalization is missing: that with `ln_f.weight` and "
            "`ln_f.bias`.",
        ),
        (
            lambda x, h: norm(x),
            lambda x, h: x,
            "Yours is normalized once more, with `ln_f.weight` and `ln_f.bias`.",
        ),
        (
            lambda x, h: norm(h),
            lambda x, h: norm(x + h),
            "Yours is h normalized with `ln_f.weight` and `ln_f.bias`.",
        ),
        (
            lambda x, h: norm(x, "ln_1"),
            lambda x, h: norm(x),
            "Yours has `ln_1.weight` and `ln_1.bias` where `ln_f.weight` and "
            "`ln_f.bias` belong.",
        ),
        (
            lambda x, h: norm(x, eps=0.5),
            lambda x, h: norm(x),
            "Before `ln_f.weight` and `ln_f.bias`: each token of yours is the right "
            "one times a factor of its own.",
        ),
        (
            lambda x, h: normal(x),
            lambda x, h: x,
            "Each token of yours has the mean 0, and that of the right result has not; "
            "otherwise they are equal, or differ by a factor.",
        ),
        (
            lambda x, h: x / np.sqrt((x**2).mean(-1, keepdims=True)),
            lambda x, h: normal(x),
            "Each token of the right result has the mean 0, and that of yours has not; "
            "otherwise they are equal, or differ by a factor.",
        ),
        (
            lambda x, h: normal(x.swapaxes(1, 2)).swapaxes(1, 2),
            lambda x, h: normal(x),
            "Yours has the mean 0 along the tokens; the right result has it along the "
            "channels.",
        ),
    ],
)
def test_normalizations(yours, right, sentence):
    cases = []
    for shape in [(2, 5, 6), (3, 4, 6)]:
        x, h = 1 + numbers(*shape, seed=64), numbers(*shape, seed=65)
        known = {**NORMS, "h": h}
        cases.append(compare(yours(x, h), right(x, h), known=known))
    assert explain(cases) == sentence


def test_one_result_of_a_call():
    cases = []
    for shape in [(2, 5, 6), (3, 4, 7)]:
        for seed, name in enumerate(["query", "key", "value"]):
            right = numbers(*shape, seed=seed)
            yours = right / shape[-1] ** 0.5 if name == "query" else right
            known = {"√C": shape[-1] ** 0.5}
            call = f"{name} of f(x), x is {list(shape)}"
            cases.append(compare(yours, right, call=call, known=known))
    sentence = "Only the query differs. Yours is the right result divided by √C."
    assert explain(cases) == sentence


# --- in part ----------------------------------------------------------------------


def noise_at(*index):
    """A change of the numbers at an index."""

    def change(x):
        x[index] += numbers(*x.shape, seed=40)[index]
        return x

    return change


ALL = slice(None)
PARTS = [
    (
        (ALL, slice(1, None)),
        "The first token of every text is right; all later tokens differ.",
    ),
    ((ALL, 0), "Only the first token of every text differs."),
    ((ALL, -1), "Only the last token of every text differs."),
    (
        (ALL, slice(0, -1)),
        "The last token of every text is right; all earlier tokens differ.",
    ),
    (
        (ALL, slice(2, None)),
        "The first 2 tokens of every text are right; from token 2 on they differ.",
    ),
    ((ALL, slice(-2, None)), "Only the last 2 tokens of every text differ."),
    ((0,), "Only the first text differs."),
    ((slice(1, None),), "The first text is right; all later texts differ."),
    ((ALL, 1), "Only token 1 of every text differs."),
    ((ALL, [0, 2]), "Only the tokens 0 and 2 of every text differ."),
    (
        (..., slice(0, 6)),
        "Only the first half of the channels of every token differs.",
    ),
    (
        (slice(1, None), slice(2, None)),
        "Yours differs only after the first text and from token 2 on.",
    ),
    (
        (0, slice(2, None)),
        "Yours differs only in the first text and from token 2 on.",
    ),
    ((ALL, 0, 0), "Yours differs only in the first token and in the first channel."),
]


@pytest.mark.parametrize(("index", "sentence"), PARTS)
def test_finds_the_part_that_differs(index, sentence):
    shapes = [(3, 5, 12), (4, 7, 12)]
    assert explain(changed(noise_at(*index), shapes)) == sentence
    cases = changed(noise_at(*index), shapes)
    right = replace(cases[1], yours=cases[1].expected)
    other = replace(cases[1], yours=numbers(4, 7, 12, seed=41))
    assert explain([cases[0], right]) is None
    assert explain([cases[0], other]) in (
        None,
        "The first token of every text is right; some others differ.",
    )


def test_even_and_odd():
    told = explain(changed(noise_at(ALL, slice(1, None, 2)), [(2, 8, 3), (2, 11, 4)]))
    assert told == "Only the tokens 1, 3, 5 … of every text differ."


def test_one_token_alone_is_no_contradiction():
    cases = changed(noise_at(ALL, slice(1, None)), [(2, 5, 6), (3, 4, 12)])
    one = numbers(2, 1, 6)
    sentence = "The first token of every text is right; all later tokens differ."
    assert explain([*cases, compare(one, one)]) == sentence


def test_only_one_part_is_right():
    def change(x):
        kept = x[0, 0].copy()
        x += numbers(*x.shape, seed=40)
        x[0, 0] = kept
        return x

    told = explain(changed(change))
    assert told == "Yours is right only in the first text and in the first token."


def test_what_the_part_is_instead():
    def change(x):
        x[:, 2:] *= 2
        return x

    sentence = (
        "The first 2 tokens of every text are right; from token 2 on they differ. "
    )
    told = explain(changed(change))
    assert told == f"{sentence}There, yours is the right result times 2."


def test_the_weaker_statement_where_lengths_allow_only_that():
    first = changed(noise_at(ALL, slice(1, None)), [(2, 5, 6)])
    second = changed(noise_at(ALL, [1, 3]), [(2, 4, 6)])
    told = explain([*first, *second])
    assert told == "The first token of every text is right; some others differ."


def test_calls_that_are_right():
    one, more = numbers(2, 1, 6), [(2, 5, 6), (3, 4, 6)]
    cases = changed(lambda x: numbers(*x.shape, seed=8), more)
    told = explain([compare(one, one), *cases])
    assert (
        told == "Yours is right where there is one token, and differs for more tokens."
    )
    first, *others = [
        replace(case, known={"T": t})
        for t, case in zip((1, 0.5, 2), [compare(one, one), *cases], strict=True)
    ]
    first = replace(first, yours=numbers(4, 5, 6), expected=numbers(4, 5, 6))
    told = explain([first, *others])
    assert told == "Yours is right where T is 1, and differs for other values."


# --- masks ------------------------------------------------------------------------


def mask(rows, columns, shift=0):
    row, column = np.ogrid[:rows, :columns]
    return np.where(column <= row + columns - rows + shift, 0, -np.inf)


def masks(change, sizes):
    return [compare(change(*size), mask(*size), axes=GRID) for size in sizes]


SQUARE, WIDE = [(3, 3), (1, 1), (6, 6)], [(3, 3), (4, 6), (6, 7)]


@pytest.mark.parametrize(
    ("change", "sizes", "sentence"),
    [
        (lambda r, c: mask(r, c, 9), SQUARE, "Yours is 0 where −∞ is right."),
        (
            lambda r, c: mask(r, c).T,
            SQUARE,
            "Yours is the right result with the axes row and column exchanged.",
        ),
        (
            lambda r, c: mask(r, c, 1),
            SQUARE,
            "Yours differs only where column = row + 1. There, every number of yours "
            "is 0.",
        ),
        (
            lambda r, c: mask(r, c, -1),
            SQUARE,
            "Yours differs only where column = row. There, every number of yours is "
            "−∞.",
        ),
        (
            lambda r, c: mask(r, c, 1),
            WIDE,
            "Yours differs only where column = row + n + 1, n being columns less rows. "
            "There, every number of yours is 0.",
        ),
    ],
)
def test_masks(change, sizes, sentence):
    assert explain(masks(change, sizes)) == sentence


def removed(x, keep):
    order = np.sort(x, -1)[..., ::-1]
    return np.where(x >= order[..., keep - 1 : keep], x, -np.inf)


def test_mask_of_another_width():
    sizes = [(2, 5), (3, 4), (1, 3)]
    cases = masks(lambda r, c: mask(r, c, r - c), sizes)
    assert explain(cases) == (
        "Yours differs only where row < column ≤ row + n, n being columns less rows. "
        "There, every number of yours is −∞."
    )


def test_removed_numbers():
    rows = [numbers(4, 9, seed=i) for i in range(2)]
    axes = ("text", "token")

    def told(change):
        return explain([compare(change(x), removed(x, 3), axes=axes) for x in rows])

    assert told(lambda x: x) == "Yours is −∞ nowhere, so it removes nothing."
    assert told(lambda x: removed(x, 4)) == (
        "Yours keeps 1 token more than right in each text: those that are not −∞."
    )
    assert told(lambda x: removed(x, 2)) == (
        "Yours keeps 1 token fewer than right in each text: those that are not −∞."
    )
    assert told(lambda x: np.where(np.isinf(removed(x, 3)), -np.inf, 1)) == (
        "Yours is −∞ in the right places, but every other number of yours is 1."
    )
    likely = [softmax(removed(x, 3)) for x in rows]
    more = [softmax(removed(x, 5)) for x in rows]
    cases = [compare(a, b, axes=axes) for a, b in zip(more, likely, strict=True)]
    assert explain(cases) == (
        "Yours keeps 2 tokens more than right in each text: those that are not 0."
    )
    others = told(lambda x: np.where(np.isinf(removed(x, 3)), x, -np.inf))
    assert others == "Yours is −∞ just where it must not be, and nowhere else."


# --- NaN and infinity -------------------------------------------------------------


NAN = "NaN comes from 0/0, ∞ − ∞ or 0 · ∞."


def set_at(value, *index):
    def change(x):
        x[index] = value
        return x

    return change


def test_not_finite():
    told = explain(changed(lambda x: x * np.nan))
    assert told == f"Every number of yours is NaN (not a number). {NAN}"
    told = explain(changed(set_at(np.nan, ALL, 0)))
    assert told == (
        "Yours has NaN (not a number) in places. Only the first token of every text "
        f"has them. All others are right. {NAN}"
    )
    told = explain(changed(set_at(np.inf, 1)))
    assert told.startswith("Yours has ∞ in places. ")
    first, second = changed(set_at(np.nan, ALL, 0))
    right = replace(second, yours=second.expected)
    told = explain([replace(first, call="f(x, 0)"), right])
    assert told == f"12 of 60 numbers are NaN (not a number) in f(x, 0). {NAN}"
    told = explain([replace(first, yours=first.yours[0])])
    assert told == f"6 of 30 numbers are NaN (not a number) in f(x). {NAN}"


# --- another shape ----------------------------------------------------------------


RIGHT = "Apart from that the numbers are right."
SHAPED = [
    (lambda x: x[None], f"Yours has an axis of size 1 too many, in front. {RIGHT}"),
    (
        lambda x: x[..., None],
        f"Yours has an axis of size 1 too many, at the end. {RIGHT}",
    ),
    (
        lambda x: np.repeat(x[:, None], 2, 1),
        f"Yours has an axis too many that repeats 2 times, as axis 1. {RIGHT}",
    ),
    (
        lambda x: x.swapaxes(1, 2),
        f"Yours has the axes token and channel exchanged. {RIGHT}",
    ),
    (
        lambda x: x.transpose(1, 2, 0),
        f"Yours has its axes in the order [token, channel, text]. {RIGHT}",
    ),
    (
        lambda x: x.reshape(-1, x.shape[-1]),
        f"Yours has the axes text and token joined into one. {RIGHT}",
    ),
    (lambda x: x.ravel(), f"Yours has all its numbers in another shape. {RIGHT}"),
    (lambda x: x[:, :-1], f"Yours lacks the last token. {RIGHT}"),
    (lambda x: x[:, 1:], f"Yours lacks the first token. {RIGHT}"),
    (lambda x: x[:, -1:], f"Yours has only the last token. {RIGHT}"),
    (lambda x: x[:, :2], f"Yours has only the first tokens. {RIGHT}"),
    (lambda x: x[:, 1:3], f"Yours has only tokens, from token 1 on. {RIGHT}"),
    (
        lambda x: x[:, -1],
        f"Yours lacks the axis token: it has the last token alone. {RIGHT}",
    ),
    (
        lambda x: x.mean(1),
        f"Yours lacks the axis token: it has the mean alone. {RIGHT}",
    ),
    (
        lambda x: x.mean(1, keepdims=True),
        f"Yours has the mean of the tokens alone. {RIGHT}",
    ),
    (
        lambda x: np.concatenate([x, x[:, :1]], 1),
        f"Yours has one token too many, at the end. {RIGHT}",
    ),
    (
        lambda x: np.concatenate([x[:, 1:3], x], 1),
        f"Yours has 2 tokens too many, in front. {RIGHT}",
    ),
    (lambda x: np.repeat(x, 2, 1), f"Yours has each of the tokens 2 times. {RIGHT}"),
    (lambda x: np.tile(x, (1, 2, 1)), f"Yours has all the tokens 2 times. {RIGHT}"),
    (
        lambda x: 2 * x[:, None],
        "Yours has an axis of size 1 too many, as axis 1. Apart from that, yours is "
        "the right result times 2.",
    ),
    (
        lambda x: numbers(*x.shape[:2], 2),
        "Yours has too few channels. The numbers differ, too.",
    ),
    (lambda x: np.float32(1), "Yours has 0 axes where 3 are right."),
]


@pytest.mark.parametrize(("change", "sentence"), SHAPED)
def test_finds_what_changed_the_shape(change, sentence):
    cases = changed(change)
    assert explain(cases) == sentence
    right = replace(cases[1], yours=cases[1].expected)
    told = explain([cases[0], right])
    assert told.startswith("In one of the calls: yours ") or "axes where" in told


def test_a_call_is_named_if_no_other_has_its_name():
    first, second = changed(lambda x: x)
    other = replace(second, yours=second.yours[None], call="f(y)")
    assert str(explain([first, other])).startswith("In f(y): yours has an axis")


def test_axis_of_size_one_is_missing():
    cases = changed(lambda x: x[:, 0], [(2, 1, 6), (3, 1, 12)])
    sentence = f"Yours lacks the axis token, of size 1. {RIGHT}"
    assert explain(cases) == sentence


def test_another_quantity_of_another_shape():
    known = {"the shares": numbers(2, 5, 5)}
    case = compare(known["the shares"], numbers(2, 5, 6), known=known)
    assert explain([case]) == "Yours is just the shares, of another shape."


def test_unnamed_axes():
    right = numbers(2, 3, 4, 5)
    told = explain([compare(right[:, ::-1], right, axes=())])
    assert told == "The slices of axis 1 of yours are in reverse order."


SIZES = [(), (1,), (0,), (4,), (1, 1), (3, 0), (2, 3), (3, 3), (2, 1, 4), (2, 2, 2)]


@pytest.mark.parametrize("seed", range(40))
def test_any_arrays_give_a_sentence_or_nothing(seed):
    rng = np.random.default_rng(seed)

    def array(shape):
        special = [0.0, 1.0, np.nan, np.inf, -np.inf, -2.5]
        picked = rng.choice(special, shape, p=[0.3, 0.3, 0.05, 0.05, 0.1, 0.2])
        return rng.choice([rng.normal(0, 1, shape), picked])

    known = {"x": array((2, 3)), "v": array((3,)), "t": 0.0, "D": np.float32(4)}
    cases = []
    for _ in range(int(rng.integers(1, 4))):
        right, yours = (SIZES[i] for i in rng.integers(0, len(SIZES), 2))
        yours = right if rng.random() < 0.7 else yours
        right = np.nan_to_num(array(right), nan=1.0)
        cases.append(compare(array(yours), right, known=known, axes=()))
    told = explain(cases)
    assert told is None or told.endswith(".")

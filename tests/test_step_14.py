"""Checks step 14: text generation."""

import numpy as np

from course.check_program import check_file
from course.checks import expect_close, expect_tensor, require
from tests import draws, fakes
from tests.oracle import model as oracle

# The likeliest token after 0 is 3, after 3 it is 1, and so on.
FOLLOWS = {0: 3, 3: 1, 1: 4, 4: 2, 2: 0}
AXES = "text token"
ROWS = 40  # with 8 equally likely tokens, two draws are equal once in 8**40


def chain():
    """Logits ``[5, 5]``, all below 0, with the highest for each token's follower."""
    table = np.random.default_rng(14).normal(-3, 0.3, (5, 5)).astype(np.float32)
    for token, follower in FOLLOWS.items():
        table[token, follower] = -1.5
    return table


def table_model(step, table):
    return step.hold(fakes.TableModel(np.array(table, np.float32)))


def seeded(seed=0):
    return np.random.default_rng(seed)


def ids(*rows):
    return np.array(rows, dtype=np.int64)


def call(name, prompt, *args, **kwargs):
    options = "".join(f", {a}" for a in args)
    options += "".join(f", {k}={v}" for k, v in kwargs.items())
    shown = prompt.tolist() if prompt.size <= 8 else list(prompt.shape)
    return f"{name}(model, ids {shown}{options})"


def drawn(got, logits, temperature, others, call):
    """Ids that have to be drawn from softmax(logits / temperature)."""
    softmax = oracle.softmax
    guesses = {
        "always the likeliest": np.eye(len(logits))[logits.argmax()],
        "all tokens alike": softmax(logits * 0),
        "no temperature": softmax(logits),
        "logits · temperature": softmax(logits * temperature),
        "logits / √temperature": softmax(logits / temperature**0.5),
        "a temperature of at least 0.1": softmax(logits / max(temperature, 0.1)),
        "temperature used twice": softmax(logits / temperature**2),
        "softmax used twice": softmax(softmax(logits / temperature)),
        "temperature after softmax": softmax(softmax(logits) / temperature),
        "another row's logits": softmax(others / temperature),
        "a token's rank as its id": np.sort(softmax(logits / temperature))[::-1],
    }
    return draws.Draws(got, softmax(logits / temperature), guesses, call)


def test_likeliest(step):
    """Without sampling, the next token is the one with the highest logit.

    Only the logits of the last position count: they are what follows the text.
    """
    model = table_model(step, chain())
    prompt = ids(*[[2, 0], [0, 4], [1, 3]] * 5)
    asked = call("generate_next_token", prompt, 1.0, False)
    runs = []
    for seed in (1, 2):
        value = step.generate_next_token(model, prompt, 1.0, False, rng=seeded(seed))
        runs.append(expect_tensor(value, [15, 1], asked, dtype="int64"))
    message = "Two runs without sampling chose different tokens."
    require((runs[0] == runs[1]).all(), message, asked, "drawn")
    expect_close(value, ids(*[[3], [2], [1]] * 5), asked, dtype="int64", axes=AXES)


def test_draws(step):
    """With sampling, each row draws from softmax of its own last logits.

    The likeliest token alone would write the same text every time.
    """
    table = [[1.5, -1, 0], [-0.5, 1, 0.5], [3, -3, 0]]
    prompt = ids(*[[2, 0], [2, 1]] * 500)
    asked = call("generate_next_token", prompt)
    value = step.generate_next_token(table_model(step, table), prompt, rng=seeded())
    got = expect_tensor(value, [1000, 1], asked, dtype="int64")[:, 0]
    message = "All rows with the same text drew the same token."
    require(len(set(got[0::2])) > 1, message, asked)
    first, second = np.array(table[:2])
    rows = f"{asked}, the rows that end with"
    draws.expect_drawn(
        [
            drawn(got[0::2], first, 1.0, second, f"{rows} 0"),
            drawn(got[1::2], second, 1.0, first, f"{rows} 1"),
        ]
    )


def test_temperature(step):
    """The temperature divides the logits, before softmax.

    Above 1 the rare tokens gain, below 1 they lose; logits may be large.
    """
    found = []
    for temperature, logits in [
        (2.0, [3, 0, 1]),
        (0.02, [0.1, 0, 0.05]),
        (3.0, [4504.5, 4500, 4501.5]),
    ]:
        model = table_model(step, [logits] * 3)
        prompt = ids(*[[2, 0]] * 1000)
        asked = call("generate_next_token", prompt, temperature)
        value = step.generate_next_token(model, prompt, temperature, rng=seeded(1))
        got = expect_tensor(value, [1000, 1], asked, dtype="int64")[:, 0]
        logits = np.array(logits, float)
        found.append(drawn(got, logits, temperature, logits[::-1], asked))
    draws.expect_drawn(found)


def test_temperature_zero(step):
    """At temperature 0 the likeliest token is taken, as without sampling.

    The nearer to 0, the less is left to chance. By 0 itself nothing can be divided.
    """
    near = np.where(chain() == chain().max(), -1, -1.0001)  # all are nearly as likely
    model, prompt = table_model(step, near), ids(*[[2, 0], [0, 4], [1, 3]] * 5)
    asked, runs = call("generate_next_token", prompt, 0.0), []
    for seed in (1, 2):
        value = step.generate_next_token(model, prompt, 0.0, rng=seeded(seed))
        runs.append(expect_tensor(value, [15, 1], asked, dtype="int64"))
    message = "Two runs at temperature 0 chose different tokens."
    require((runs[0] == runs[1]).all(), message, asked, "drawn")
    expect_close(value, ids(*[[3], [2], [1]] * 5), asked, dtype="int64", axes=AXES)
    value = step.generate_next_token(model, prompt, 0.0, False)
    asked = call("generate_next_token", prompt, 0.0, False)
    expect_close(value, ids(*[[3], [2], [1]] * 5), asked, dtype="int64", axes=AXES)


def test_rng(step):
    """All randomness comes from rng: equal generators draw equal tokens.

    So a text can be written again; with rng=None it is another one every time.
    """
    model, prompt = table_model(step, np.zeros((8, 8))), ids(*[[1, 0]] * ROWS)
    asked = call("generate_next_token", prompt, rng="…")

    def draw(rng):
        value = step.generate_next_token(model, prompt, rng=rng)
        return expect_tensor(value, [ROWS, 1], asked, dtype="int64").tolist()

    once = draw(seeded(5))
    require(once == draw(seeded(5)), "Equal generators drew different tokens.", asked)
    require(once != draw(seeded(6)), "Different generators drew the same.", asked)
    require(once != once[:1] * ROWS, "All rows drew the same token.", asked)
    held = step.hold(seeded(5))
    message = "A generator drew the same again: it is copied, not used."
    require(draw(held) != draw(held), message, asked)
    message = "Two runs with rng=None drew the same."
    require(draw(None) != draw(None), message, asked)


def test_text(step):
    """A text is the prompt and then, one by one, the tokens that follow it.

    For every token the model sees the whole text so far.
    """
    model, prompt = table_model(step, chain()), ids([2, 0], [0, 4], [1, 3])
    asked = call("generate_tokens", prompt, 4, 1.0, False)
    value = step.generate_tokens(model, prompt, 4, 1.0, False, rng=seeded(1))
    again = step.generate_tokens(model, prompt, 4, 1.0, False, rng=seeded(2))
    got = expect_tensor(value, [3, 6], asked, dtype="int64")
    message = "Two runs without sampling wrote different texts."
    require((got == again.values).all(), message, asked, "drawn")
    rows = [[2, 0, 3, 1, 4, 2], [0, 4, 2, 0, 3, 1], [1, 3, 1, 4, 2, 0]]
    expect_close(value, ids(*rows), asked, dtype="int64", axes=AXES)
    seen = [text for text in model.get("seen") if len(text) == 3][:4]
    whole = [[row[:n] for row in rows] for n in (2, 3, 4, 5)]
    message = "The model did not see the whole text so far for every token."
    require(seen in (whole, []), message, asked, seen)


def test_number_of_tokens(step):
    """max_new_tokens new tokens are written: ten if nothing is said, none for 0.

    The prompt does not count.
    """
    two = ids([4, 0, 2], [0, 0, 1])
    for prompt, options, new in [
        (two, {"max_new_tokens": 11}, 11),
        (ids([3]), {}, 10),
        (two, {"max_new_tokens": 0}, 0),
    ]:
        options["do_sample"] = False  # so that two codes write the same text
        asked = call("generate_tokens", prompt, **options)
        value = step.generate_tokens(table_model(step, chain()), prompt, **options)
        texts, length = prompt.shape
        got = expect_tensor(value, [texts, length + new], asked, dtype="int64")
        same = (got[:, :length] == prompt).all()
        require(same, "The text does not begin with the prompt.", asked, got)


def test_sampled_text(step):
    """A text is sampled with the temperature that was asked for, 0 included.

    generate_tokens has to hand it on.
    """
    logits = np.array([4.5, 0, 1.5])
    model, prompt = table_model(step, [logits] * 3), ids(*[[2, 0]] * 1000)
    asked = call("generate_tokens", prompt, 1, 3.0)
    value = step.generate_tokens(model, prompt, 1, 3.0, rng=seeded(2))
    got = expect_tensor(value, [1000, 3], asked, dtype="int64")
    draws.expect_drawn([drawn(got[:, 2], logits, 3.0, logits[::-1], asked)])
    asked = call("generate_tokens", prompt, 1, 0.0)
    value = step.generate_tokens(model, prompt, 1, 0.0, rng=seeded(2))
    likeliest = np.pad(prompt, [(0, 0), (0, 1)])  # append token 0 to every row
    expect_close(value, likeliest, asked, dtype="int64", axes=AXES)


def test_one_rng_per_text(step):
    """One rng makes the whole text: equal generators write equal texts.

    A generator made anew for each token would draw the same number each time.
    """
    model, prompt = table_model(step, np.zeros((8, 8))), ids(*[[1, 0]] * ROWS)
    asked = call("generate_tokens", prompt, 2, rng="…")

    def write(rng):
        value = step.generate_tokens(model, prompt, 2, rng=rng)
        return expect_tensor(value, [ROWS, 4], asked, dtype="int64").tolist()

    once = write(seeded(5))
    message = "Every token of a text was drawn alike."
    require(any(row[2] != row[3] for row in once), message, asked)
    message = "Equal generators wrote different texts."
    require(once == write(seeded(5)), message, asked)
    message = "Different generators wrote the same text."
    require(once != write(seeded(6)), message, asked)
    message = "Two runs with rng=None wrote the same text."
    require(write(None) != write(None), message, asked)


def test_end_of_text(step):
    """A row that has written eos_token_id is filled with it; all ended, all done.

    The end itself stays in the text, and no token is made for nothing.
    """
    for prompt, rows in [
        (ids([2, 0]), ids([2, 0, 3, 1, 4])),
        (ids([2, 0], [3, 1]), ids([2, 0, 3, 1, 4], [3, 1, 4, 4, 4])),
    ]:
        model = table_model(step, chain())
        options = {"max_new_tokens": 6, "do_sample": False, "eos_token_id": 4}
        asked = call("generate_tokens", prompt, **options)
        value = step.generate_tokens(model, prompt, **options)
        expect_close(value, rows, asked, dtype="int64", axes=AXES)
    calls = len(model.get("seen"))
    message = f"The model was asked {calls} times; after 3 tokens all texts had ended."
    require(calls <= 2 * 4, message, asked, calls)


def test_end_in_the_prompt(step):
    """An end in the prompt stops nothing, and any id can be the end, 0 as well.

    Prompts may contain several texts. Only what is newly written ends one.
    """
    options = {"max_new_tokens": 4, "do_sample": False}
    for eos, prompt, rows in [
        (4, ids([4, 0], [2, 0]), ids([4, 0, 3, 1, 4], [2, 0, 3, 1, 4])),
        (4, ids([4, 0], [3, 4]), ids([4, 0, 3, 1, 4, 4], [3, 4, 2, 0, 3, 1])),
        (0, ids([3, 1]), ids([3, 1, 4, 2, 0])),
    ]:
        model = table_model(step, chain())
        asked = call("generate_tokens", prompt, **options, eos_token_id=eos)
        value = step.generate_tokens(model, prompt, **options, eos_token_id=eos)
        expect_close(value, rows, asked, dtype="int64", axes=AXES)


if __name__ == "__main__":
    check_file(__file__)

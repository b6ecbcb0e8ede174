"""Checks the encore speculative decoding."""

import numpy as np

from course.check_program import check_file
from course.checks import (
    CheckFailed,
    as_plain,
    expect_numbers,
    kind_of,
    require,
)
from course.messages import Array
from tests import speculative_calls
from tests.oracle import speculative as oracle
from tests.oracle.notes import note
from tests.outcomes import expect_outcomes

RUNS = 2000

# After id r comes NEXT[r], where the likeliest is always chosen: 0, 2, 3, 1, 4, 0, …
NEXT = [2, 4, 3, 1, 0]
WRONG = [1, 0, 4, 2, 3]  # nowhere the right one
HALF = [2, 4, 4, 2, 0]  # right after 0, 1 and 4
GREEDY = np.eye(5)[NEXT]  # [V, V], all probability at the next id

# The draft's distributions and the model's: far apart, and no two numbers alike.
Q = np.array([[0.55, 0.10, 0.05, 0.30], [0.08, 0.62, 0.21, 0.09]])
P = np.array(
    [[0.20, 0.35, 0.28, 0.17], [0.31, 0.14, 0.16, 0.39], [0.11, 0.45, 0.26, 0.18]]
)
# The same after each of three ids, for whole texts.
MODEL = np.array([[0.15, 0.60, 0.25], [0.55, 0.10, 0.35], [0.30, 0.22, 0.48]])
DRAFT = np.array([[0.70, 0.08, 0.22], [0.12, 0.75, 0.13], [0.60, 0.32, 0.08]])


def seeded(seed=0):
    return np.random.default_rng(seed)


def plain_ids(value, call):
    """Requires ids in a list, a tuple or an array; returns a list."""
    got = as_plain(value)
    whole = isinstance(got, list) and all(type(token) is int for token in got)
    if not whole:
        facts = [("called", call), ("yours", kind_of(value))]
        raise CheckFailed("The result is not a list of ids.", facts, got)
    return got


def expect_ids(value, expected, message, call, *given):
    """Requires these ids, in a list, a tuple or an array; ``given`` are facts."""
    got = plain_ids(value, call)
    if got == expected:
        return
    facts = [("called", call), *given]
    facts += [("expected", f"{expected}"), ("yours", f"{got}")]
    symptom = explain_ids(got, expected)
    raise CheckFailed(message, facts, (call, got), symptom=symptom)


def explain_ids(got, expected):
    """Says in a sentence how ids differ from the right ones; None if unknown."""
    if got and expected[: len(got)] == got:
        return f"The end is missing, from {expected[len(got)]} on."
    if expected and got[: len(expected)] == expected:
        return f"Yours goes on behind that, with {got[len(expected)]}."
    return None


def expect_rows(value, expected, call):
    """Requires distributions ``[K, V]``; with no rows, any array without numbers."""
    if not len(expected) and isinstance(value, Array) and not value.values.size:
        return
    expect_numbers(value, expected, call, axes="place id")


def proposal(value, call):
    """Requires a pair of ids and distributions; returns the pair."""
    if isinstance(value, tuple | list) and len(value) == 2:
        return value
    facts = [("called", call), ("expected", "a pair: K ids, distributions [K, V]")]
    facts.append(("yours", kind_of(value)))
    message = "The result is not a pair of ids and distributions."
    raise CheckFailed(message, facts, kind_of(value))


def look_up(step, ids, count, expected, **longest):
    """Requires what ``look_up`` has to find, and that the text stays as it is."""
    held = step.hold(list(ids))
    more = "".join(f", longest={n}" for n in longest.values())
    call = f"look_up({list(ids)}, {count}{more})"
    value = step.look_up(held, count, **longest)
    expect_ids(value, expected, "Those are not the ids to be found.", call)
    message = "The list ids has changed; make a new one instead."
    require(as_plain(held.call("copy")) == list(ids), message, call, "changed")


def test_look_up(step):
    """What followed the text's end before is returned, at most count ids of it.

    In a text that repeats itself, that is a good guess for what comes now.
    """
    look_up(step, [9, 2, 6, 1, 9, 2, 6], 1, [1])
    look_up(step, [7, 3, 5, 8, 6, 7, 3], 2, [5, 8])
    look_up(step, [7, 3, 5, 8, 6, 7, 3], 4, [5, 8, 6, 7])


def test_look_up_longest_first(step):
    """The longest end counts, up to ``longest`` ids, although a shorter one is nearer.

    The more ids agree, the likelier the next one does.
    """
    text = [1, 2, 3, 9, 4, 2, 3, 7, 5, 3, 8, 1, 2, 3]
    look_up(step, text, 2, [9, 4])
    look_up(step, text, 2, [9, 4], longest=5)
    look_up(step, text, 2, [7, 5], longest=2)
    look_up(step, text, 2, [8, 1], longest=1)
    text = [6, 1, 2, 3, 0, 5, 1, 2, 3, 7, 6, 1, 2, 3]
    look_up(step, text, 1, [0], longest=4)
    look_up(step, text, 1, [7])


def test_look_up_last_place(step):
    """Of several places with the same end, the last one counts.

    Place and end may overlap: a text of equal ids is its own draft.
    """
    look_up(step, [1, 2, 5, 1, 2, 6, 3, 1, 2], 2, [6, 3])
    look_up(step, [4, 4, 4, 4], 3, [4])
    look_up(step, [1, 2, 1, 2, 1], 3, [2, 1])


def test_look_up_finds_less(step):
    """Near the end of the text there are fewer ids, for a new last id there are none.

    Then the draft is silent, and the model writes a token by itself.
    """
    look_up(step, [5, 6, 7, 5, 6], 9, [7, 5, 6])
    for text in ([1, 2, 3], [3], [1, 1, 2]):
        look_up(step, text, 4, [])
    look_up(step, [5, 6, 7, 5, 6], 0, [])


def test_text_as_draft(step):
    """Each id from the text has a distribution of its own: 1 for it, 0 for all others.

    Nothing was drawn. So q of a proposed id is 1.
    """
    for ids, count, size in [([2, 4, 0, 5, 2, 4], 3, 7), ([1, 2, 3], 2, 5)]:
        call = f"propose_from_text({ids}, {count}, {size})"
        found, rows = proposal(step.propose_from_text(ids, count, size), call)
        expected = [0, 5, 2] if size == 7 else []
        expect_ids(found, expected, "Those are not the ids that look_up finds.", call)
        expect_rows(rows, np.eye(size)[expected], call)


def test_model_as_draft(step):
    """A model drafts token by token, and each token has the distribution it came from.

    So every call of the draft sees the text and all tokens proposed so far.
    """
    table = seeded(3).dirichlet(np.ones(6), 97)
    for count in (5, 1, 0):
        model = step.hold(speculative_calls.TableModel(table, whole_text=True))
        text = [3, 0, 5, 2]
        held = step.hold(list(text))
        call = f"propose_with_model(draft, {text}, {count}, rng)"
        value = step.propose_with_model(model, held, count, seeded(2))
        found, rows = proposal(value, call)
        ids = plain_ids(found, call)
        message = f"{len(ids)} tokens were proposed, and {count} were asked for."
        require(len(ids) == count, message, call, len(ids))
        expect_asked(model, [(text + ids[:i], 1) for i in range(count)], "draft", call)
        known = speculative_calls.TableModel(table, whole_text=True)
        right = [table[known.row(text + ids[:i])] for i in range(count)]
        expect_rows(rows, np.reshape(right, [count, 6]), call)
        message = "The list ids has changed; make a new one instead."
        require(as_plain(held.call("copy")) == text, message, call, "changed")


def expect_asked(model, expected, who, call):
    """Requires these calls of a model or a draft: the ids and the count of each."""
    seen = [(list(ids), count) for ids, count in model.get("seen")]
    if seen == expected:
        return
    facts = [("called", call)]
    message = f"The {who} was called {len(seen)} times instead of {len(expected)}."
    if len(seen) == len(expected):
        pairs = zip(seen, expected, strict=True)
        number = next(i for i, (a, b) in enumerate(pairs) if a != b)
        (ids, count), (right, asked) = seen[number], expected[number]
        facts += [("expected", f"{right}, {asked}"), ("yours", f"{ids}, {count}")]
        what = "other ids" if ids != right else "another count"
        message = f"Call {number + 1} of the {who} got {what} than it needs."
    raise CheckFailed(message, facts, seen)


def test_model_as_draft_draws(step):
    """The draft's tokens are drawn: each as often as its distribution says.

    A draft that always takes its likeliest token has another distribution, and the
    rule for keeping tokens would be wrong for it.
    """
    many = step.hold(speculative_calls.many_proposals)
    function = step.module.get("propose_with_model")
    model = step.hold(speculative_calls.TableModel(DRAFT))
    found = many(RUNS, function, model, [0], 2, seeded(7))
    right = oracle.texts(DRAFT, 0, 2)
    best = np.eye(3)[DRAFT.argmax(axis=1)]
    guesses = {
        "the likeliest token each time": oracle.texts(best, 0, 2),
        "all tokens alike": oracle.texts(np.full([3, 3], 1 / 3), 0, 2),
        "every token from the first distribution": oracle.texts(DRAFT[[0] * 3], 0, 2),
    }
    call = f"propose_with_model(draft, [0], 2, rng), {RUNS} times"
    expect_outcomes(found, right, guesses, call)


def test_residual(step):
    """What p has beyond q replaces a rejected token, scaled to a sum of 1.

    Where q is above p, nothing may come: such tokens come too often already.
    """
    for p, q in [(P[0], Q[0]), (P[1], Q[1]), (P[2], np.eye(4)[1])]:
        note("`p`", p)
        note("`q`", q)
        note("p - q", p - q)
        note("max(0, p - q)", np.maximum(p - q, 0))
        call = f"residual({p.tolist()}, {q.tolist()})"
        expected = np.array(oracle.beyond(p.tolist(), q.tolist()))
        expect_numbers(step.residual(p, q), expected, call)


def test_residual_of_equals(step):
    """Where p has nothing beyond q, the residual is p: 0 / 0 is no number.

    The two are then equal, but a computer's sums may be off by their last digit, and
    the token may be rejected all the same.
    """
    for p in (np.array([0.1, 0.6, 0.3]), np.eye(5)[2]):
        call = f"residual(p, q), both {p.tolist()}"
        expect_numbers(step.residual(p, p.copy()), p, call)


def verified(step, proposed, q, p, expected):
    """Requires a result in which nothing is left to chance."""
    call = f"verify({proposed}, q, p, rng)"
    given = ("q", rows(q)), ("p", rows(p))
    for seed in range(6):
        value = step.verify(list(proposed), q, p, seeded(seed))
        expect_ids(value, expected, "Other tokens have to come back.", call, *given)


def rows(table):
    """Distributions for a report: a row for each place."""
    return " | ".join(" ".join(f"{x:g}" for x in row) for row in table) or "no rows"


def test_all_kept(step):
    """Where the model is no less sure than the draft, a token is always kept.

    With all of them kept, one more token comes from the model's last distribution.
    """
    one = np.eye(4)
    surer = np.array([[0.5, 0.3, 0.1, 0.1], one[3]])
    verified(step, [0], np.full([1, 4], 0.25), surer, [0, 3])
    verified(step, [2, 0, 1], P.copy(), np.array([*P, one[2]]), [2, 0, 1, 2])
    verified(step, [1, 2], one[[1, 2]], one[[1, 2, 0]], [1, 2, 0])


def test_first_rejected(step):
    """A token that the model cannot write is rejected, and all after it are dropped.

    Later tokens were guessed for a text that does not exist. What comes in its place is
    drawn from what p has beyond q, at the same place.
    """
    one = np.eye(4)
    for proposed, model, expected in [
        ([0, 1, 2], [3, 1, 2, 0], [3]),
        ([0, 1, 2], [0, 2, 2, 3], [0, 2]),
        ([0, 1, 2], [0, 1, 3, 1], [0, 1, 3]),
        ([3], [1, 2], [1]),
    ]:
        verified(step, proposed, one[proposed], one[model], expected)
    q = np.array([[0.5, 0.5, 0.0, 0.0]])
    verified(step, [0], q, np.array([[0.0, 0.5, 0.5, 0.0], P[0]]), [2])


def test_nothing_proposed(step):
    """Without a guess, the result is one token of the model's own."""
    for token in (3, 1):
        verified(step, [], np.zeros([0, 4]), np.eye(4)[[token]], [token])


def test_chances(step):
    """A guess is kept with probability min(1, p / q), and replaced from p beyond q.

    Each place has its own p and q. Then the draft leaves no trace in the text.
    """
    many, verify = step.hold(speculative_calls.many), step.module.get("verify")
    for proposed in ([0, 1], [3, 2], [1, 1]):
        found = many(RUNS, verify, proposed, Q, P, seeded(5))
        right = oracle.verified(proposed, Q.tolist(), P.tolist())
        guesses = {
            name: oracle.verified(proposed, Q.tolist(), P.tolist(), rule)
            for name, rule in oracle.RULES.items()
        }
        call = f"verify({proposed}, q, p, rng), {RUNS} times"
        expect_outcomes(found, right, guesses, call)


def test_round(step):
    """A round asks the draft once, and the model once: for K + 1 distributions.

    The model sees the text with the guesses behind it. The draft may propose fewer
    tokens than it is asked for, or none.
    """
    for follow, most, count, expected in [
        (NEXT, 9, 3, [3, 1, 4, 0]),
        (HALF, 9, 3, [3]),
        (NEXT, 2, 4, [3, 1, 4]),
        (NEXT, 0, 4, [3]),
    ]:
        model = step.hold(speculative_calls.TableModel(GREEDY))
        draft = step.hold(speculative_calls.Guesses(follow, most))
        text = [4, 0, 2]
        held = step.hold(list(text))
        call = f"speculative_round(model, draft, {text}, {count}, rng)"
        value = step.speculative_round(model, draft, held, count, seeded())
        guesses, _ = speculative_calls.Guesses(follow, most)(text, count)
        expect_asked(draft, [(text, count)], "draft", call)
        expect_asked(model, [(text + guesses, len(guesses) + 1)], "model", call)
        expect_ids(value, expected, "Other tokens have to come back.", call)
        message = "The list ids has changed; make a new one instead."
        require(as_plain(held.call("copy")) == text, message, call, "changed")


def decode(step, follow, prompt, *, table=GREEDY, most=1000, **options):
    """Calls ``speculative_decode``; returns the result, both fakes, and the call."""
    model = step.hold(speculative_calls.TableModel(table))
    draft = step.hold(speculative_calls.Guesses(follow, most))
    shown = "".join(f", {name}={value}" for name, value in options.items())
    call = f"speculative_decode(model, draft, {prompt}{shown}, rng=rng)"
    value = step.speculative_decode(model, draft, prompt, **options, rng=seeded())
    return value, model, draft, call


def greedy_text(prompt, count):
    """The prompt and what follows, by ``NEXT``."""
    ids = list(prompt)
    for _ in range(count):
        ids.append(NEXT[ids[-1]])
    return ids


def test_greedy(step):
    """If the model has one choice each time, the text is that of greedy decoding.

    It is so for every draft, also for one that is always wrong, and for every length.
    """
    for follow in (NEXT, HALF, WRONG):
        for number in (1, 2, 3, 6):
            for count in (1, 2, 7, 9):
                options = {"max_new_tokens": count, "num_draft_tokens": number}
                value, *_, call = decode(step, follow, [1, 3], **options)
                expected = greedy_text([1, 3], count)
                message = "That is not the model's greedy text."
                expect_ids(value, expected, message, call)


def test_calls(step):
    """A good draft saves calls: with four right guesses, a call gives five tokens.

    A bad draft costs none: each call gives at least one. Each sees the text so far.
    """
    for follow, number, count, sizes in [
        (NEXT, 4, 11, [4, 4, 0]),
        (NEXT, 3, 10, [3, 3, 1]),
        (NEXT, 1, 6, [1, 1, 1]),
        (WRONG, 4, 4, [3, 2, 1, 0]),
        (NEXT, 5, 1, [0]),
    ]:
        options = {"max_new_tokens": count, "num_draft_tokens": number}
        _, model, _, call = decode(step, follow, [1, 3], **options)
        text, expected = [1, 3], []
        for size in sizes:
            guesses, _ = speculative_calls.Guesses(follow)(text, size)
            expected.append((text + guesses, size + 1))
            text = greedy_text(text, size + 1 if follow is NEXT else 1)
        expect_asked(model, expected, "model", call)


def test_guesses_that_fit(step):
    """The draft proposes at most num_draft_tokens, and never more than can be used.

    A round adds a token of the model's own; so with n tokens left to write, n - 1
    guesses are enough. Four are the default.
    """
    for options, sizes in [
        ({"max_new_tokens": 12}, [4, 4, 1]),
        ({"max_new_tokens": 8, "num_draft_tokens": 6}, [6, 0]),
        ({"max_new_tokens": 3, "num_draft_tokens": 5}, [2]),
    ]:
        _, _, draft, call = decode(step, NEXT, [2], **options)
        asked = [count for _, count in draft.get("seen") if count]
        expected = [size for size in sizes if size]
        message = f"The draft was asked for {asked} tokens instead of {expected}."
        require(asked == expected, message, call, asked)


def test_length(step):
    """The text has max_new_tokens new tokens, and with 0 it is the prompt.

    A round may give more tokens than there is room for.
    """
    for count in (0, 1, 5, 6):
        for most in (0, 2, 9):
            value, *_, call = decode(step, NEXT, [3], max_new_tokens=count, most=most)
            expected = greedy_text([3], count)
            message = f"The prompt and {count} new tokens have to come back."
            expect_ids(value, expected, message, call)


def test_end(step):
    """A text ends with the end token, wherever in a round it comes.

    It may be one of the guesses, or the token behind them. Any id can be the end, 0 as
    well.
    """
    for follow in (NEXT, HALF, WRONG):
        for number in (1, 2, 4, 6):
            for end, length in [(4, 4), (0, 5), (1, 3), (2, 1)]:
                options = {"max_new_tokens": 9, "num_draft_tokens": number}
                options["eos_token_id"] = end
                value, *_, call = decode(step, follow, [0], **options)
                expected = greedy_text([0], length)
                message = f"The text has to end with the end token, {end}."
                expect_ids(value, expected, message, call)


def test_end_in_the_prompt(step):
    """An end in the prompt stops nothing, and without an end nothing does."""
    for prompt, end, length in [([4, 2], 4, 3), ([3, 4], 3, 3), ([4], None, 7)]:
        options = {"max_new_tokens": 7, "eos_token_id": end}
        value, *_, call = decode(step, HALF, prompt, **options)
        expected = greedy_text(prompt, length)
        message = "The text has to go on after its prompt, to the next end."
        expect_ids(value, expected, message, call)


def test_texts(step):
    """Texts come as often as the model's own probabilities say, whatever the draft.

    Three tokens, with the end as one of them: the joint distribution is counted.
    """
    many = step.hold(speculative_calls.many)
    function = step.module.get("speculative_decode")
    model = step.hold(speculative_calls.TableModel(MODEL))
    drafts = {
        "a model": speculative_calls.Drawing(DRAFT, seeded(11)),
        "a text": speculative_calls.Guesses([0, 1, 2]),
    }
    right = {(0, *ids): share for ids, share in oracle.texts(MODEL, 0, 3).items()}
    theirs = {(0, *ids): share for ids, share in oracle.texts(DRAFT, 0, 3).items()}
    for name, draft in drafts.items():
        options = {"max_new_tokens": 3, "num_draft_tokens": 2, "rng": seeded(12)}
        found = many(RUNS, function, model, step.hold(draft), [0], **options)
        call = f"speculative_decode with {name} as draft, {RUNS} times"
        expect_outcomes(found, right, {"the draft's distribution": theirs}, call)


def test_prompt_is_kept(step):
    """The prompt stays as it was: whoever called may still need it.

    It may be a list or a tuple; a list comes back.
    """
    value, *_, call = decode(step, HALF, (3, 1), max_new_tokens=5)
    message = "Prompt and continuation have to come back."
    expect_ids(value, greedy_text([3, 1], 5), message, call)
    held = step.hold([3, 1])
    model = step.hold(speculative_calls.TableModel(GREEDY))
    draft = step.hold(speculative_calls.Guesses(HALF))
    step.speculative_decode(model, draft, held, max_new_tokens=5, rng=seeded())
    message = "The list prompt_ids has changed; make a new one instead."
    call = "speculative_decode(model, draft, [3, 1], max_new_tokens=5, rng=rng)"
    require(as_plain(held.call("copy")) == [3, 1], message, call, "changed")


def test_rng(step):
    """All randomness comes from rng: equal generators write equal texts.

    So a text can be written again. Forty equal draws are no chance.
    """
    many = step.hold(speculative_calls.many)
    function = step.module.get("speculative_decode")
    table, draft = np.full([5, 5], 0.2), step.hold(speculative_calls.Guesses(NEXT))
    model = step.hold(speculative_calls.TableModel(table))
    call = "speculative_decode(model, draft, [0], max_new_tokens=40, rng=rng)"

    def write(rng, count=1):
        options = {"max_new_tokens": 40, "rng": rng}
        return many(count, function, model, draft, [0], **options)

    once = write(seeded(5))
    require(once == write(seeded(5)), "Equal generators wrote different texts.", call)
    require(once != write(seeded(6)), "Different generators wrote the same.", call)
    first, second = write(seeded(5), 2)
    message = "A generator wrote the same again: it is copied, not used."
    require(first != second, message, call)


if __name__ == "__main__":
    check_file(__file__)

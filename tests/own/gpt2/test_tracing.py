"""A trace has the right numbers at every stage, and names the step that is wrong."""

from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from book import play
from book.inside import look_inside, norm
from course.catalogue import load_mistakes
from course.registry import as_step, find_exercise, load_registry
from course.step_imports import leave_steps
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from gpt2.learner.borrowing import begun, borrow
from gpt2.learner.stages import maker_of, makers, points
from gpt2.learner.trace_comparison import Difference, compare, different, verdict
from gpt2.learner.trace_json import (
    HIDDEN,
    MISFIT,
    NOT_REACHED,
    as_json,
    mine_as_json,
    unseen,
)
from gpt2.learner.tracing import Trace, run_traced, trace_reference
from tests.oracle import model as oracle

TEXT = "Tom has a dog."
HEADER = """
from max.experimental import functional as F
from max.experimental.nn import Linear, Module, ModuleList
from max.experimental.tensor import Tensor
from steps.step_01 import GPT2Config
"""
# Right files, written in other ways than the solutions.
OTHERWISE = {
    "attention in step 09 itself": {
        "step_09": """
from steps.step_07 import GPT2SingleHeadQKV

class GPT2MultiHeadAttention(Module):
    def __init__(self, config):
        self.heads = config.n_head
        self.parts = GPT2SingleHeadQKV(config)
        self.c_proj = Linear(config.n_embd, config.n_embd)

    def forward(self, x):
        length = int(x.shape[1])
        q, k, v = [F.chunk(p, self.heads, axis=-1) for p in self.parts(x)]
        row, column = Tensor.arange(length), Tensor.arange(length)
        hidden = F.greater(column.reshape([1, length]), row.reshape([length, 1]))
        found = []
        for i in range(self.heads):
            scores = q[i] @ k[i].transpose(-1, -2) / int(q[i].shape[-1]) ** 0.5
            found.append(F.softmax(F.where(hidden, float("-inf"), scores)) @ v[i])
        return self.c_proj(F.concat(found, axis=-1))
"""
    },
    "one call for each head": {
        "step_09": """
from steps.step_08 import compute_attention

class GPT2MultiHeadAttention(Module):
    def __init__(self, config):
        self.n_head = config.n_head
        self.c_attn = Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = Linear(config.n_embd, config.n_embd)

    def forward(self, x):
        parts = F.chunk(self.c_attn(x), 3, axis=-1)
        q, k, v = [F.chunk(part, self.n_head, axis=-1) for part in parts]
        heads = [
            compute_attention(query=q[i], key=k[i], value=v[i])
            for i in range(self.n_head)
        ]
        return self.c_proj(F.concat(heads, axis=-1))
"""
    },
    "softmax by hand": {
        "step_08": """
from steps.step_02 import causal_mask

def compute_attention(query, key, value):
    length, size = query.shape[-2], int(query.shape[-1])
    scores = (query * size**-0.5) @ key.transpose(-1, -2)
    mask = causal_mask(length, 0, dtype=scores.dtype, device=scores.device)
    powers = F.exp(scores + mask - F.max(scores + mask, axis=-1))
    return powers @ value / F.sum(powers, axis=-1)
"""
    },
    "no step 10 in step 11": {
        "step_11": """
from steps.step_03 import LayerNorm
from steps.step_04 import GPT2MLP
from steps.step_09 import GPT2MultiHeadAttention

class GPT2Block(Module):
    def __init__(self, config):
        self.ln_1 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.attn = GPT2MultiHeadAttention(config)
        self.ln_2 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = GPT2MLP(config.n_inner, config)

    def forward(self, x):
        x = self.attn(self.ln_1(x)) + x
        return self.mlp(self.ln_2(x)) + x
"""
    },
    "layers that are not called": {
        "step_04": """
class GPT2MLP(Module):
    def __init__(self, intermediate_size, config):
        self.c_fc = Linear(config.n_embd, intermediate_size)
        self.c_proj = Linear(intermediate_size, config.n_embd)

    def forward(self, x):
        wide = x @ self.c_fc.weight.T + self.c_fc.bias
        fired = F.gelu(wide, approximate="tanh")
        return fired @ self.c_proj.weight.T + self.c_proj.bias
""",
        "step_12": """
from steps.step_03 import LayerNorm
from steps.step_05 import GPT2Embeddings
from steps.step_06 import GPT2PositionEmbeddings
from steps.step_11 import GPT2Block

class GPT2Model(Module):
    def __init__(self, config):
        self.wte = GPT2Embeddings(config)
        self.wpe = GPT2PositionEmbeddings(config)
        self.h = ModuleList([GPT2Block(config) for _ in range(config.n_layer)])
        self.ln_f = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)

    def forward(self, input_ids):
        x = self.wte(input_ids) + self.wpe.weight[: int(input_ids.shape[1])]
        for block in self.h:
            x = block(x)
        return self.ln_f(x)
""",
    },
}
# A mistake of the catalogue, and the stage in which it is seen first.
MISTAKES = [
    ("s02", "sees the next token", "h.0.shares"),
    ("s03", "mean not subtracted", "h.0.ln_1"),
    ("s03", "names of the paper", "h.0.ln_1"),
    ("s04", "exact GELU", "h.0.active"),
    ("s04", "one pair of layers for all", "h.0.mlp"),
    ("s05", "next row", "wte"),
    ("s05", "batch and length joined", "wte"),
    ("s06", "scaled", "wpe"),
    ("s07", "key and value exchanged", "h.0.key"),
    ("s07", "not split", "h.0.query"),
    ("s08", "unscaled", "h.0.shares"),
    ("s08", "no mask", "h.0.shares"),
    ("s08", "softmax over queries", "h.0.shares"),
    ("s08", "mask with earlier context", "h.0.scores"),
    ("s09", "split by reshape alone", "h.0.shares"),
    ("s09", "merged without swapping back", "h.0.mixed"),
    ("s09", "heads not split", "h.0.mixed"),
    ("s09", "c_proj forgotten", "h.0.attn"),
    ("s10", "post-norm", "h.0.ln_1"),
    ("s10", "no norm", "h.0.query"),
    ("s10", "no residual", "h.0.mid"),
    ("s10", "two sublayers", "h.0.query"),
    ("s11", "norms swapped", "h.0.ln_1"),
    ("s11", "one norm for both", "h.0.hidden"),
    ("s11", "side by side", "h.0.mid"),
    ("s11", "no residual around the mlp", "h.0.out"),
    ("s11", "names of one's own", "h.0.out"),
    ("s12", "positions from 1", "wpe"),
    ("s12", "no positions", "h.0.in"),
    ("s12", "blocks not chained", "h.1.in"),
    ("s12", "first block every time", "ln_f"),
    ("s12", "tables swapped", "h.0.in"),
    ("s12", "no final norm", "ln_f"),
    ("s13", "scaled", "logits"),
    ("s13", "last position only", "logits"),
    ("s13", "transformer by another name", "logits"),
]


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint("tiny-stories")


@pytest.fixture(scope="module")
def ids(checkpoint: Checkpoint) -> list[int]:
    return checkpoint.tokenizer.encode(TEXT)


@pytest.fixture(scope="module")
def reference(checkpoint: Checkpoint, ids: list[int]) -> Iterator[Trace]:
    """The trace of the solutions."""
    yield trace_reference(checkpoint, ids)
    leave_steps()


@dataclass
class Traced:
    """A learner's trace and how it differs."""

    trace: Trace
    found: list[Difference]
    said: str

    @property
    def first(self) -> Difference:
        return self.found[0]


@pytest.fixture
def run(
    tmp_path: Path, checkpoint: Checkpoint, ids: list[int], reference: Trace
) -> Iterator[Callable[..., Traced]]:
    """Traces a learner's files; others are solved, or borrowed with ``alone``."""
    desk = tmp_path / "steps"
    desk.mkdir()

    def trace(files: dict[str, str], *, alone: bool = False) -> Traced:
        for path in desk.glob("*.py"):
            path.unlink()
        solved = {e.file: e.solved for e in load_registry() if e.is_step and not alone}
        for name, code in (solved | files).items():
            (desk / f"{name}.py").write_text(code)
        borrowed = borrow(desk, own=begun(desk))
        found = run_traced(checkpoint, ids, borrowed)
        layers = checkpoint.config.n_layer
        differences = compare(found, reference, borrowed, layers)
        return Traced(found, differences, verdict(differences, borrowed))

    yield trace
    leave_steps()


def right_numbers() -> dict[str, np.ndarray]:
    """Every stage of the running sentence, in NumPy."""
    state, tokens = play.trained(), play.encode(TEXT)
    found = {
        "wte": state["wte.weight"][tokens],
        "wpe": state["wpe.weight"][: len(tokens)],
    }
    for number, layer in enumerate(look_inside(TEXT)):
        at = f"h.{number}."
        middle = layer.stream + layer.attended
        normed = norm(middle, state, f"{at}ln_2")
        hidden = oracle.linear(normed, state, f"{at}mlp.c_fc")
        keys = layer.key.swapaxes(-1, -2)
        found |= {
            f"{at}in": layer.stream,
            f"{at}ln_1": layer.normed,
            f"{at}query": np.concatenate(list(layer.query), axis=-1),
            f"{at}key": np.concatenate(list(layer.key), axis=-1),
            f"{at}value": np.concatenate(list(layer.value), axis=-1),
            f"{at}scores": layer.query @ keys / np.sqrt(layer.query.shape[-1]),
            f"{at}shares": layer.shares,
            f"{at}mixed": np.concatenate(list(layer.shares @ layer.value), axis=-1),
            f"{at}attn": layer.attended,
            f"{at}mid": middle,
            f"{at}ln_2": normed,
            f"{at}hidden": hidden,
            f"{at}active": oracle.gelu(hidden),
            f"{at}mlp": layer.fed,
            f"{at}out": middle + layer.fed,
        }
    last = norm(middle + layer.fed, state, "ln_f")
    return found | {"ln_f": last, "logits": last[-1:] @ state["wte.weight"].T}


def test_every_stage_is_what_numpy_computes(
    reference: Trace, checkpoint: Checkpoint
) -> None:
    expected = right_numbers()
    stages = [p.name for p in points(checkpoint.config.n_layer) if p.is_stage]
    assert sorted(expected) == sorted(stages)
    for stage in stages:
        got = reference.array(stage)
        assert got is not None, stage
        assert got.shape == expected[stage].shape, stage
        assert not different(got, expected[stage]).any(), stage


def test_the_page_shows_the_stages_in_this_order() -> None:
    """``masked`` is computed in the page."""
    shown = [name.replace("*", "0") for name in makers() if not name.endswith("masked")]
    assert shown == [point.name for point in points(1) if point.is_stage]
    assert maker_of("h.3.shares") == 8
    assert maker_of("h.0.out") == 11


def test_right_steps_do_not_differ(run: Callable[..., Traced]) -> None:
    traced = run({})
    assert traced.found == []
    assert traced.said == "Your model computes what the reference computes."
    assert traced.trace.error is None


@pytest.mark.parametrize("way", OTHERWISE)
@pytest.mark.parametrize("alone", [False, True], ids=["all mine", "the rest borrowed"])
def test_right_steps_written_otherwise_do_not_differ(
    way: str, alone: bool, run: Callable[..., Traced]
) -> None:
    files = {name: HEADER + code for name, code in OTHERWISE[way].items()}
    traced = run(files, alone=alone)
    assert traced.trace.error is None
    assert traced.found == []


def test_what_cannot_be_seen_is_missing(
    run: Callable[..., Traced], reference: Trace, checkpoint: Checkpoint
) -> None:
    code = HEADER + OTHERWISE["attention in step 09 itself"]["step_09"]
    traced = run({"step_09": code}, alone=True)
    gone = unseen(traced.trace, reference, checkpoint)
    blocks = [f"h.{i}." for i in range(checkpoint.config.n_layer)]
    assert [*gone] == [f"{b}{n}" for b in blocks for n in ("scores", "shares")]
    assert gone["h.1.shares"] == HIDDEN.format("the shares in block 1")
    called = HEADER + OTHERWISE["one call for each head"]["step_09"]
    traced = run({"step_09": called}, alone=True)
    assert unseen(traced.trace, reference, checkpoint) == {}


def test_scores_are_seen_in_a_borrowed_step_08_alone(
    run: Callable[..., Traced],
) -> None:
    assert "h.0.scores" not in run({}).trace.values
    mine = {"step_09": find_exercise("09").solved}
    assert "h.0.scores" in run(mine, alone=True).trace.values


@pytest.mark.parametrize(("key", "name", "stage"), MISTAKES)
def test_a_mistake_leads_to_its_stage_and_its_step(
    key: str, name: str, stage: str, run: Callable[..., Traced]
) -> None:
    exercise = find_exercise(key)
    mistake = next(m for m in load_mistakes(exercise) if m.name == name)
    traced = run({exercise.file: as_step(mistake.source)})
    assert (traced.first.step, traced.first.stage) == (exercise.number, stage)
    assert f"step_{exercise.number:02}.py" in traced.said
    assert f" {exercise.key} --steps-dir " in traced.said
    assert not traced.first.follows
    assert all(each.follows for each in traced.found[1:])


def test_a_wrong_helper_of_a_borrowed_step(run: Callable[..., Traced]) -> None:
    mistake = next(m for m in load_mistakes(find_exercise("08")) if m.name == "no mask")
    traced = run({"step_08": as_step(mistake.source)}, alone=True)
    assert (traced.first.step, traced.first.stage) == (8, "h.0.shares")


def test_the_first_wrong_numbers_are_listed(
    run: Callable[..., Traced], reference: Trace
) -> None:
    solved = find_exercise("07").solved
    traced = run({"step_07": solved.replace("return query,", "return 2 * query,")})
    assert traced.first.stage == "h.0.query"
    right, got = reference.array("h.0.query"), traced.trace.array("h.0.query")
    assert right is not None
    assert got is not None
    assert [cell.at for cell in traced.first.fault.cells] == [(0, i) for i in range(5)]
    for cell in traced.first.fault.cells:
        assert cell.expected == right[cell.at]
        assert cell.got == got[cell.at] == 2 * right[cell.at]
    assert traced.first.fault.count == different(got, right).sum()
    assert (
        f"{traced.first.fault.count} of {right.size} numbers are wrong" in traced.said
    )


def instead(number: int, old: str, new: str) -> dict[str, str]:
    """A step's file with one change."""
    exercise = find_exercise(f"{number}")
    assert exercise.solved.count(old) == 1
    return {exercise.file: exercise.solved.replace(old, new)}


FORGOTTEN = "return normalized * self.weight + self.bias"
NOTHING = FORGOTTEN.removeprefix("return ")
SLOPPY = [
    (3, FORGOTTEN, NOTHING, "h.0.ln_1", "Yours is None"),
    (3, FORGOTTEN, f"{FORGOTTEN} * float('nan')", "h.0.ln_1", "is NaN, not"),
    (3, FORGOTTEN, f"return ({NOTHING})[0]", "h.0.ln_1",
     "without the axis of the batch"),
    (3, FORGOTTEN, f"return ({NOTHING})[:, :2]", "h.0.ln_1", "The shape is [2, 224]"),
    (4, "hidden = F", "1 / 0; hidden = F", "h.0.hidden", "ZeroDivisionError"),
    (4, "return self", "import sys; sys.exit('x'); self", "h.0.active", "SystemExit"),
    (8, " @ value", "", "h.0.mixed", "The shape is [4, 5, 5], not [4, 5, 56]"),
    (8, "    scores = ", "    raise NotImplementedError('Later.')\n    scores = ",
     "h.0.scores", "is not finished: Later."),
    (9, "query, key, value = self.qkv(x)", "query, key, value = (", "h.0.attn",
     "SyntaxError"),
    (4, "def forward(self", "def run(self", "h.0.hidden", "GPT2MLP has no forward"),
    (13, "def forward(self", "def run(self", "logits", "is not finished"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "old", "new", "stage", "says"), SLOPPY)
def test_code_that_does_not_work_ends_the_trace_with_a_sentence(
    number: int, old: str, new: str, stage: str, says: str, run: Callable[..., Traced]
) -> None:
    traced = run(instead(number, old, new))
    assert says in traced.said
    assert f"step_{number:02}.py" in traced.said
    assert "Traceback" not in traced.said
    assert "\n" not in traced.said
    assert (traced.first.step, traced.first.stage) == (number, stage)


def test_the_rest_of_a_trace_comes_from_the_reference(
    run: Callable[..., Traced], reference: Trace, checkpoint: Checkpoint
) -> None:
    traced = run(instead(11, "x = pre_norm", "1 / 0; x = pre_norm"))
    gone = unseen(traced.trace, reference, checkpoint)
    assert gone["h.0.ln_1"] == gone["logits"] == NOT_REACHED
    assert traced.first.stage == "h.0.ln_1"
    assert "h.0.in" not in gone
    sent = mine_as_json(traced.trace, reference, checkpoint)
    assert sent["arrays"] == {}
    assert sent["guesses"] == as_json(reference, checkpoint)["guesses"]


def test_numbers_of_another_shape_are_not_drawn(
    run: Callable[..., Traced], reference: Trace, checkpoint: Checkpoint
) -> None:
    traced = run(instead(3, FORGOTTEN, f"return ({NOTHING})[:, :2]"))
    assert unseen(traced.trace, reference, checkpoint)["h.0.ln_1"].startswith(
        MISFIT[:20]
    )
    sent = mine_as_json(traced.trace, reference, checkpoint)["arrays"]
    right = as_json(reference, checkpoint)["arrays"]
    assert all(array["shape"] == right[name]["shape"] for name, array in sent.items())


def test_an_error_after_a_wrong_number_is_its_consequence(
    run: Callable[..., Traced],
) -> None:
    files = instead(7, "return query,", "return 2 * query,")
    files |= instead(13, "hidden = ", "1 / 0; hidden = ")
    assert run(files).said.startswith("The model stops here")  # nothing has run yet
    files |= instead(13, "return hidden", "1 / 0; return hidden")
    traced = run(files)
    assert traced.first.step == 7
    assert traced.found[-1].follows
    assert "ZeroDivisionError" in traced.found[-1].sentence


def test_output_is_no_part_of_a_trace(run: Callable[..., Traced]) -> None:
    assert run(instead(8, "    scores = ", "    print('!')\n    scores = ")).found == []


def unpacked(sent: dict) -> np.ndarray:
    return np.frombuffer(b64decode(sent["values"]), "<f4").reshape(sent["shape"])


def test_the_page_gets_the_numbers(reference: Trace, checkpoint: Checkpoint) -> None:
    sent = as_json(reference, checkpoint)
    assert sent["tokens"] == ["Tom", " has", " a", " dog", "."]
    assert sent["sizes"]["layers"] == checkpoint.config.n_layer
    for name, array in sent["arrays"].items():
        if (kept := reference.array(name)) is not None:
            assert np.array_equal(unpacked(array), kept), name
    weight = checkpoint.weights["transformer.h.1.ln_2.weight"]
    assert np.array_equal(unpacked(sent["arrays"]["h.1.ln_2.weight"]), weight)
    assert sent["arrays"]["logits"]["shape"] == [1, checkpoint.config.vocab_size]


def test_the_last_guess_is_the_models(reference: Trace, checkpoint: Checkpoint) -> None:
    found = as_json(reference, checkpoint)["guesses"]
    assert len(found) == checkpoint.config.n_layer + 1
    assert {len(row) for row in found} == {len(reference.ids)}
    logits = reference.array("logits")
    assert logits is not None
    p = oracle.softmax(logits[0].astype(np.float64))
    best = np.argsort(-p)[:5]
    assert [guess["id"] for guess in found[-1][-1]] == best.tolist()
    assert [guess["p"] for guess in found[-1][-1]] == pytest.approx(p[best], abs=1e-5)


def test_numbers_that_are_none_give_no_guess(
    run: Callable[..., Traced], reference: Trace, checkpoint: Checkpoint
) -> None:
    traced = run(instead(3, FORGOTTEN, f"{FORGOTTEN} * float('nan')"))
    guesses = mine_as_json(traced.trace, reference, checkpoint)["guesses"]
    assert guesses[0] == as_json(reference, checkpoint)["guesses"][0]
    assert {guess["token"] for row in guesses[1] for guess in row} == {"NaN"}

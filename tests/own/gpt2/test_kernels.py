"""The engine's kernels, called with NumPy's arrays and compared with NumPy.

The same Mojo files are in the engine's graph. Here each function is called alone, so
that a test gives it any sizes and sees what it writes outside its result.
"""

import ctypes
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from max.dtype import DType

from gpt2.engine.kernel_operations import KERNELS
from gpt2.engine.precision import PRECISIONS, to_bfloat16, to_int8
from runtime.mojo_library import MAIN, load_library
from tests.oracle import model as oracle

CHANCE = np.random.default_rng(0)
CALLS = Path(__file__).with_name("kernel_calls.mojo")
ROWS = [*range(1, 10), 13, 64, 65, 130]
SIZES = [(1, 1), (3, 5), (4, 8), (7, 50), (100, 128), (13, 96), (5, 3072), (2304, 768)]
GUARD = np.float32(7.5)  # lies around each result and must stay
MATVEC = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, *[ctypes.c_int64] * 2)
NAN, INF = np.float32("nan"), np.float32("inf")


@pytest.fixture(scope="module")
def kernels() -> ctypes.CDLL:
    """The kernels' files side by side, where a package would need a folder."""
    files = [path for path in KERNELS.glob("*.mojo") if path.stem != "__init__"]
    texts = {path.stem: path.read_text().replace("from .", "from ") for path in files}
    return load_library(
        {MAIN: CALLS.read_text(), **texts}, "kernels", lambda *_: nullcontext()
    )


def normal(*shape: int) -> np.ndarray:
    return CHANCE.standard_normal(shape, dtype=np.float32)


def call(function: Callable[..., None], *arguments: np.ndarray | float) -> None:
    """Calls a function with arrays, whole numbers and float32 numbers."""
    converted: list[object] = []
    for each in arguments:
        if isinstance(each, np.ndarray):
            assert each.flags.c_contiguous
            converted.append(ctypes.c_void_p(each.ctypes.data))
        elif isinstance(each, float):
            converted.append(ctypes.c_float(each))
        else:
            converted.append(ctypes.c_int64(each))
    function(*converted)


def result(function: Callable[..., None], shape: tuple[int, ...], *rest):
    """Calls a function whose first argument is its result; returns the result.

    The memory before and after the result must stay as it is.
    """
    size, edge = int(np.prod(shape)), 80
    room = np.full(size + 2 * edge, GUARD)
    call(function, room[edge : edge + size], *rest)
    assert (room[:edge] == GUARD).all()
    assert (room[edge + size :] == GUARD).all()
    return room[edge : edge + size].reshape(shape)


def packed(w: np.ndarray, precision: str) -> tuple[list[np.ndarray], np.ndarray]:
    """Returns what a kernel reads for weights, and the weights that this stands for."""
    if precision == "float32":
        return [w], w
    if precision == "bfloat16":
        halves = to_bfloat16(w).view(DType.uint16, w.shape).to_numpy()
        return [halves], (halves.astype(np.uint32) << 16).view(np.float32)
    whole, scales = to_int8(w)
    return [whole, scales], whole * scales.repeat(32, axis=1)


def product(kernels, x, w, precision="float32", bias=None):
    """Returns the kernel's product, and the one of NumPy in float64."""
    outs, k = w.shape
    bias = normal(outs) if bias is None else bias
    arrays, w = packed(w, precision)
    function = kernels[f"product_{precision}"]
    sizes = len(x), outs, k
    found = result(function, (len(x), outs), x, *arrays, bias, *sizes)
    return found, x.astype(np.float64) @ w.T.astype(np.float64) + bias


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_products(kernels, precision, size):
    if precision == "int8" and size[1] % 32:
        pytest.skip("int8 has a scale for each 32 weights")
    w = normal(*size)
    for rows in ROWS:
        found, want = product(kernels, normal(rows, size[1]), w, precision)
        np.testing.assert_allclose(found, want, rtol=0, atol=2e-6 * size[1] + 1e-6)


@pytest.mark.parametrize("rows", ROWS)
def test_products_of_small_whole_numbers_are_exact(kernels, rows):
    """A term that is forgotten or added twice changes a sum of whole numbers."""
    for outs, k in [(9, 61), (66, 80), (6, 64), (5, 67), (70, 200)]:
        x = CHANCE.integers(-3, 4, [rows, k]).astype(np.float32)
        w = CHANCE.integers(-3, 4, [outs, k]).astype(np.float32)
        bias = np.zeros(outs, dtype=np.float32)
        for precision in ("float32", "bfloat16"):
            found, want = product(kernels, x, w, precision, bias)
            np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize("shape", [(0, 5, 8), (3, 0, 8)], ids=str)
def test_products_without_a_result(kernels, shape):
    rows, outs, k = shape
    found, _ = product(kernels, normal(rows, k), normal(outs, k))
    assert found.shape == (rows, outs)


def test_products_of_rows_without_numbers_are_the_bias(kernels):
    found, want = product(kernels, normal(3, 0), normal(5, 0))
    np.testing.assert_allclose(found, want)


@pytest.mark.parametrize("rows", [1, 4, 6])
def test_a_product_reads_only_its_own_numbers(kernels, rows):
    """NaN lies before and after x, weights and biases."""

    def inside(*shape: int) -> np.ndarray:
        size = int(np.prod(shape))
        room = np.full(size + 200, NAN)
        room[100 : 100 + size] = normal(size)
        return room[100 : 100 + size].reshape(shape)

    for outs, k in [(1, 1), (5, 7), (9, 66), (13, 96)]:
        x, w = inside(rows, k), inside(outs, k)
        found, want = product(kernels, x, w, bias=inside(outs))
        np.testing.assert_allclose(found, want, rtol=0, atol=1e-4)


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_number_that_is_not_finite_reaches_its_own_row_alone(kernels, bad, rows):
    x, w = normal(rows, 70), np.abs(normal(6, 70)) + 1
    x[-1, 3] = bad
    found, want = product(kernels, x, w)
    np.testing.assert_array_equal(found[-1], np.full(6, bad))
    np.testing.assert_allclose(found[:-1], want[:-1], rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", [1, 3, 15, 16, 17, 100])
def test_gelu_of_any_number(kernels, size):
    """From where tanh is 1 in float32, GELU is x or 0."""
    ends = [0, -0.0, 1e-40, -1e-40, 1, -1, 9, -9, 12, -12, 90, -90, 1e6, -1e6]
    for start in [*ends, 1e15, -1e15, 1e30, -1e30, None]:
        x = normal(size) * 4 if start is None else np.full(size, start, np.float32)
        row, bias = x.copy(), np.zeros(size, dtype=np.float32)
        call(kernels.finish_gelu, row, bias, 0, size)
        want = oracle.gelu(x) if abs(start or 0) < 1e6 else np.maximum(x, 0)
        np.testing.assert_allclose(row, want, rtol=2e-6, atol=1e-6)


def test_gelu_of_a_part_of_a_row(kernels):
    for start, end in [(0, 0), (3, 4), (5, 39), (17, 40)]:
        x, bias = normal(40), normal(40)
        row = x.copy()
        call(kernels.finish_gelu, row, bias, start, end)
        want = oracle.gelu(x + bias)
        np.testing.assert_allclose(row[start:end], want[start:end], atol=1e-6)
        np.testing.assert_array_equal(row[:start], x[:start])
        np.testing.assert_array_equal(row[end:], x[end:])


def test_gelu_of_what_is_not_a_number_is_none(kernels):
    row, bias = np.full(19, NAN), np.zeros(19, dtype=np.float32)
    call(kernels.finish_gelu, row, bias, 0, 19)
    assert np.isnan(row).all()


def test_a_learners_function_computes_the_sums_of_one_row(kernels):
    x, w, bias = normal(1, 50), normal(7, 50), normal(7)
    seen = []

    def twice(y, x, w, outs, k):
        seen.append((x, w, outs, k))
        row = np.ctypeslib.as_array(ctypes.cast(x, POINTER), [k])
        weights = np.ctypeslib.as_array(ctypes.cast(w, POINTER), [outs, k])
        np.ctypeslib.as_array(ctypes.cast(y, POINTER), [outs])[:] = 2 * weights @ row

    callback = MATVEC(twice)
    address = ctypes.cast(callback, ctypes.c_void_p).value
    found = np.zeros([1, 7], dtype=np.float32)
    call(kernels.product_by, address, found, x, w, bias, 7, 50)
    np.testing.assert_allclose(found, 2 * x @ w.T + bias, rtol=0, atol=1e-4)
    assert seen == [(x.ctypes.data, w.ctypes.data, 7, 50)]


POINTER = ctypes.POINTER(ctypes.c_float)


def attended(qkv, keys, values, lengths, asked):
    """Computes attention in float64, one text after the other."""
    texts, _, _, heads, size = qkv.shape
    y = np.zeros([texts, asked.shape[1], heads, size])
    for text, length in enumerate(lengths):
        _, key, value = qkv[text].astype(np.float64).swapaxes(0, 1)
        key = np.concatenate([keys[text, :, :length].swapaxes(0, 1), key])
        value = np.concatenate([values[text, :, :length].swapaxes(0, 1), value])
        for place, position in enumerate(asked[text]):
            query = qkv[text, position - length, 0].astype(np.float64)
            scores = np.einsum("hd,phd->hp", query, key[: position + 1])
            scores = scores / np.sqrt(size)
            shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
            shares /= shares.sum(axis=-1, keepdims=True)
            y[text, place] = np.einsum("hp,phd->hd", shares, value[: position + 1])
    return y


def attention(kernels, qkv, keys, values, lengths, new):
    """Returns the kernel's result; ``new`` lists the asking ones of the new tokens."""
    texts, tokens, _, heads, size = qkv.shape
    lengths = np.array(lengths)
    asked = lengths[:, None] + np.array(new)
    shape = texts, len(new), heads, size
    arrays = qkv, keys, values, lengths, np.ascontiguousarray(asked)
    sizes = texts, tokens, len(new), heads, keys.shape[2], size
    return result(kernels.attention, shape, *arrays, *sizes), asked


def caches(lengths, heads, tokens, size, room=3):
    """Returns keys and values ``[B, H, P, D]``: NaN behind the end of each text."""
    shape = len(lengths), heads, max(lengths) + tokens + room, size
    keys, values = np.full([2, *shape], NAN)
    for text, length in enumerate(lengths):
        keys[text, :, :length] = normal(heads, length, size)
        values[text, :, :length] = normal(heads, length, size)
    return keys, values


@pytest.mark.parametrize("size", [1, 3, 8, 56, 64, 70])
@pytest.mark.parametrize(
    ("lengths", "tokens", "asked"),
    [
        ([0], 1, [0]),
        ([5], 1, [0]),
        ([130], 1, [0]),
        ([7, 0, 31], 1, [0]),
        ([2, 7, 0], 3, [0, 1, 2]),
        ([9, 1], 5, [1, 4]),
        ([0, 4], 9, [8]),
        ([0, 17], 70, range(70)),
        ([60, 3], 6, range(1, 6)),
    ],
    ids=str,
)
def test_attention(kernels, lengths, tokens, asked, size):
    heads = 3
    qkv = 2 * normal(len(lengths), tokens, 3, heads, size)
    keys, values = caches(lengths, heads, tokens, size)
    old_keys, old_values = keys.copy(), values.copy()
    found, places = attention(kernels, qkv, keys, values, lengths, asked)
    want = attended(qkv, old_keys, old_values, lengths, places)
    np.testing.assert_allclose(found, want, rtol=0, atol=2e-5)
    for new, old, part in ((keys, old_keys, 1), (values, old_values, 2)):
        for text, length in enumerate(lengths):
            old[text, :, length : length + tokens] = qkv[text, :, part].swapaxes(0, 1)
        np.testing.assert_array_equal(new, old)


def test_attention_of_a_batch_that_all_cores_share(kernels):
    lengths = [300, 0, 299, 128, 5]
    qkv = normal(5, 40, 3, 12, 64)
    keys, values = caches(lengths, 12, 40, 64, room=0)  # the longest fills its row
    want = keys.copy(), values.copy()
    found, places = attention(kernels, qkv, keys, values, lengths, range(40))
    want = attended(qkv, *want, lengths, places)
    np.testing.assert_allclose(found, want, rtol=0, atol=2e-5)


def test_attention_of_no_texts(kernels):
    keys, values = np.zeros([2, 0, 2, 8, 4], dtype=np.float32)
    qkv = np.zeros([0, 3, 3, 2, 4], dtype=np.float32)
    found, _ = attention(kernels, qkv, keys, values, np.zeros(0, np.int64), [0])
    assert found.shape == (0, 1, 2, 4)


@pytest.mark.parametrize("length", [3, 20])
@pytest.mark.parametrize("score", [0.0, 300.0, -300.0, 1e30])
def test_equal_scores_share_equally(kernels, length, score):
    qkv = normal(1, 1, 3, 1, 4)
    keys, values = caches([length], 1, 1, 4)
    qkv[0, 0, 0], qkv[0, 0, 1], keys[:] = 1, score / 2, score / 2
    found, _ = attention(kernels, qkv, keys, values, [length], [0])
    seen = values[0, 0, : length + 1].copy()
    np.testing.assert_allclose(found[0, 0, 0], seen.mean(axis=0), rtol=0, atol=1e-5)


@pytest.mark.parametrize("length", [3, 20, 40])
def test_far_scores_leave_the_highest_alone(kernels, length):
    qkv = normal(1, 1, 3, 1, 4)
    keys, values = caches([length], 1, 1, 4)
    qkv[0, 0, 0] = 1
    qkv[0, 0, 1], keys[0, 0, :length] = -1e20, -1e20
    keys[0, 0, 2] = 1e20
    found, _ = attention(kernels, qkv, keys, values, [length], [0])
    np.testing.assert_array_equal(found[0, 0, 0], values[0, 0, 2])


@pytest.mark.parametrize("bad", [NAN, INF])
@pytest.mark.parametrize("length", [3, 20, 40])
def test_attention_to_what_is_not_a_number_is_none(kernels, length, bad):
    """A damaged model must not write as if nothing had happened."""
    qkv = normal(1, 1, 3, 1, 4)
    keys, values = caches([length], 1, 1, 4)
    keys[0, 0, 1] = bad
    qkv[0, 0, 0] = 1
    found, _ = attention(kernels, qkv, keys, values, [length], [0])
    assert np.isnan(found).all()


def test_a_later_token_does_not_change_an_earlier_one(kernels):
    qkv = normal(1, 6, 3, 2, 8)
    results = []
    for last in (1.0, 100.0):
        keys, values = caches([5], 2, 6, 8)
        keys[:, :, :5], values[:, :, :5] = 0.5, 0.25
        qkv[0, -1] = last
        results.append(attention(kernels, qkv, keys, values, [5], range(6))[0])
    np.testing.assert_array_equal(results[0][:, :-1], results[1][:, :-1])


@pytest.mark.parametrize("channels", [1, 3, 16, 30, 224, 768])
@pytest.mark.parametrize("count", [0, 1, 5, 300])
def test_normalization(kernels, count, channels):
    x = normal(count, channels) * 3 + 5
    weight, bias = normal(2, channels)
    arrays = x, weight, bias, 1e-5, count, channels
    found = result(kernels.norm, x.shape, *arrays)
    want = oracle.layer_norm(x, weight, bias)
    np.testing.assert_allclose(found, want, rtol=0, atol=2e-5)


def test_normalization_of_equal_numbers_is_the_bias(kernels):
    weight, bias = normal(2, 30)
    x = np.full([2, 30], 3, dtype=np.float32)
    found = result(kernels.norm, x.shape, x, weight, bias, 1e-5, 2, 30)
    np.testing.assert_array_equal(found, [bias, bias])


@pytest.mark.parametrize("bad", [NAN, INF])
def test_normalization_of_what_is_not_a_number_is_none(kernels, bad):
    weight, bias = normal(2, 30)
    x = normal(2, 30)
    x[0, 7] = bad
    found = result(kernels.norm, x.shape, x, weight, bias, 1e-5, 2, 30)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


@pytest.mark.parametrize("channels", [1, 30, 32, 96])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_lookups(kernels, precision, channels):
    if precision == "int8" and channels % 32:
        pytest.skip("int8 has a scale for each 32 weights")
    arrays, tokens = packed(normal(50, channels), precision)
    places = normal(20, channels)
    ids, positions = CHANCE.integers(0, 50, 13), CHANCE.integers(0, 20, 13)
    ids[:2], positions[:2] = (0, 49), (19, 0)
    rest = ids, positions, *arrays, places, 13, channels
    found = result(kernels[f"embedding_{precision}"], (13, channels), *rest)
    want = tokens[ids] + places[positions]
    np.testing.assert_allclose(found, want, rtol=0, atol=1e-6)

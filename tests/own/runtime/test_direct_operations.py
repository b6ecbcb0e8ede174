"""A rule gives the bits that MAX's graph gives, or leaves the call to MAX."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.realization_context import EagerRealizationContext
from max.experimental.tensor import Tensor

from runtime.direct import operations
from runtime.direct.operations import direct_operations
from runtime.direct.transposes import Transposes

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -3e38, 1.0]
Operation = Callable[[], Any]


def numbers(*shape: int) -> Tensor:
    """Returns a tensor with special values, and always the same others."""
    array = np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)
    places = array.reshape(-1)
    places[: len(SPECIAL)] = SPECIAL[: len(places)]
    return Tensor.from_dlpack(array)


def whole(*shape: int) -> Tensor:
    """Returns a tensor of the whole numbers from 0 up."""
    return Tensor.from_dlpack(np.arange(np.prod(shape)).reshape(shape))


def truths(*shape: int) -> Tensor:
    """Returns a tensor of truth values."""
    return whole(*shape) > 2


X, ROW, SQUARE = (2, 3, 20), (20,), (3, 3)
ARITHMETIC: dict[str, Operation] = {
    "add": lambda: numbers(*X) + numbers(*ROW),
    "add of one shape": lambda: numbers(*X) + numbers(*X),
    "add 0": lambda: numbers(*X) + 0,
    "sub from a number": lambda: 1 - numbers(*X),
    "mul by a column": lambda: numbers(*X) * numbers(2, 3, 1),
    "mul by 1": lambda: numbers(*X) * 1.0,
    "mul by infinity": lambda: numbers(*X) * float("-inf"),
    "div": lambda: numbers(*X) / numbers(*ROW),
    "div by NumPy's root": lambda: numbers(*X) / np.sqrt(7),
    "one over": lambda: 1 / numbers(*X),
    "power": lambda: numbers(*X) ** 3,
    "root by power": lambda: numbers(*X) ** 0.5,
    "a number without axes": lambda: Tensor(1.5) + numbers(*X),
    "whole numbers": lambda: (whole(2, 3) + whole(3)) * 4 - 1,
    "greater": lambda: numbers(*X) > 0.5,
    "less": lambda: whole(3, 4) < whole(4),
    "equal": lambda: whole(3, 1) == whole(4),
    "maximum": lambda: F.max(numbers(*X), 0.0),
    "minimum": lambda: F.min(numbers(*X), numbers(*ROW)),
    "sum": lambda: F.sum(numbers(*X), axis=1),
    "mean": lambda: F.mean(numbers(*X), axis=-1),
    "mean of a row": lambda: numbers(*ROW).mean(),
    "largest": lambda: F.max(numbers(*X), axis=0),
    "smallest": lambda: F.min(numbers(*X)),
    "argmax": lambda: F.argmax(numbers(*X)),
    "softmax": lambda: F.softmax(numbers(*X)),
    "softmax of an inner axis": lambda: F.softmax(numbers(*X), axis=1),
    "logsoftmax": lambda: F.logsoftmax(numbers(*X)),
    "rsqrt": lambda: F.rsqrt(numbers(*X)),
    "sqrt": lambda: F.sqrt(numbers(*X)),
    "exp": lambda: F.exp(numbers(*X)),
    "log": lambda: F.log(numbers(*X)),
    "tanh": lambda: F.tanh(numbers(*X)),
    "erf": lambda: F.erf(numbers(*X)),
    "sigmoid": lambda: F.sigmoid(numbers(*X)),
    "negate": lambda: -numbers(*X),
    "gelu": lambda: F.gelu(numbers(*X)),
    "gelu tanh": lambda: F.gelu(numbers(*X), approximate="tanh"),
    "gelu quick": lambda: F.gelu(numbers(*X), approximate="quick"),
    "layer norm": lambda: F.layer_norm(numbers(*X), numbers(20), numbers(20), 1e-5),
    "matmul": lambda: numbers(5, 20) @ numbers(20, 7),
    "matmul of batches": lambda: numbers(2, 4, 3, 20) @ numbers(2, 4, 20, 3),
    "matmul by one matrix": lambda: numbers(*X) @ numbers(20, 7),
    "matmul of one matrix": lambda: numbers(3, 20) @ numbers(2, 20, 7),
    "matmul by a batch of 1": lambda: numbers(*X) @ numbers(1, 20, 7),
    "cast to float": lambda: whole(2, 3).cast(DType.float32),
    "cast to int": lambda: F.exp(whole(4).cast(DType.float32)).cast(DType.int64),
    "cast of truths": lambda: truths(2, 3).cast(DType.float32),
}
MOVES: dict[str, Operation] = {
    "T": lambda: numbers(*X).T,
    "transpose": lambda: numbers(*X).transpose(0, 1),
    "transpose whole": lambda: whole(3, 4).T,
    "permute": lambda: numbers(*X).permute([2, 0, -2]),
    "reshape": lambda: numbers(*X).reshape([2, 3, 4, 5]),
    "reshape with -1": lambda: numbers(*X).reshape([-1, numbers(*X).shape[2]]),
    "unsqueeze": lambda: F.unsqueeze(numbers(*X), -1),
    "squeeze": lambda: F.squeeze(numbers(3, 1, 4), 1),
    "broadcast": lambda: F.broadcast_to(numbers(3, 1), [2, 3, 4]),
    "row": lambda: numbers(*X)[-1],
    "last": lambda: numbers(*X)[:, -1, :],
    "slice": lambda: numbers(*X)[..., 1:5],
    "slice from the end": lambda: numbers(*X)[:, -2:],
    "new axes": lambda: numbers(*X)[None, :, None, 1],
    "new last axis": lambda: numbers(*X)[..., None],
    "chunk": lambda: F.chunk(numbers(*X), 4, axis=-1),
    "split": lambda: F.split(numbers(*X), [5, 15], axis=2),
    "split by size": lambda: numbers(*X).split(5, axis=2),
    "concat": lambda: F.concat([numbers(2, 3), numbers(2, 4)], axis=-1),
    "concat whole": lambda: F.concat((whole(2), whole(3))),
    "stack": lambda: F.stack([numbers(2, 3), numbers(2, 3)], axis=1),
    "gather": lambda: F.gather(numbers(7, 4), whole(2, 3), axis=0),
    "upper triangle": lambda: F.band_part(numbers(2, 3, 4), None, 1, exclude=True),
    "band": lambda: F.band_part(numbers(4, 4), num_lower=1, num_upper=0),
    "where": lambda: F.where(truths(3), numbers(2, 3), -1e9),
    "where whole": lambda: F.where(truths(2, 3), 7, whole(2, 3)),
    "full": lambda: Tensor.full([2, 3], 0.1),
    "zeros": lambda: Tensor.zeros([2, 3], dtype=DType.int64),
    "ones": lambda: Tensor.ones([4]),
    "ones like": lambda: Tensor.ones_like(numbers(2, 3)),
    "arange": lambda: Tensor.arange(5, dtype=DType.int64),
    "arange of floats": lambda: Tensor.arange(2, numbers(*X).shape[2]),
    "constant": lambda: Tensor(float("-inf"), dtype=DType.float32),
    "list": lambda: Tensor([1.0, -2.5, 1e-40]),
    "list of whole numbers": lambda: Tensor([1, 2], dtype=DType.int64),
    "array": lambda: Tensor(np.triu(np.full([3, 3], np.float32(-np.inf)), 1)),
    "array of truths": lambda: Tensor(np.array([True, False])),
    "not": lambda: ~truths(2, 3),
    "and": lambda: truths(2, 3) & truths(3),
    "or": lambda: truths(2, 3) | truths(3),
}


@contextmanager
def way(direct: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[None]]:
    """Uses rules, or only collects operations; gives a list of the graphs that run."""
    graphs: list[None] = []
    finalize = EagerRealizationContext.finalize_graph

    def counted(context: EagerRealizationContext) -> Any:
        graphs.append(None)
        return finalize(context)

    with monkeypatch.context() as patch:
        patch.setattr(EagerRealizationContext, "finalize_graph", counted)
        if not direct:
            patch.setattr(operations, "available", lambda: False)
        with direct_operations():
            yield graphs


def values(result: Any) -> list[tuple]:
    """Returns the type, shape and bits of a tensor or of each of a list."""
    tensors = result if isinstance(result, list | tuple) else [result]
    arrays = [(tensor.dtype, tensor.to_numpy()) for tensor in tensors]
    return [(dtype, array.shape, array.tobytes()) for dtype, array in arrays]


@pytest.mark.parametrize("name", [*ARITHMETIC, *MOVES])
def test_a_rule_gives_maxs_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = (ARITHMETIC | MOVES)[name]
    with way(False, monkeypatch):
        expected = values(operation())
    with way(True, monkeypatch) as graphs:
        got = values(operation())
    assert got == expected
    assert graphs == [], "no rule was used"


LEFT_TO_MAX: dict[str, Operation] = {
    "another type": lambda: numbers(2, 3) + whole(3),
    "a graph's own numbers": lambda: F.cumsum(whole(2, 3).cast(DType.float32), axis=1),
    "mean of all": lambda: F.mean(numbers(2, 3), axis=None),
    "a row": lambda: numbers(3) @ numbers(3, 4),
    "a rest": lambda: F.split(numbers(2, 5), 2, axis=1),
    "a list of lists": lambda: Tensor([[1.0, 2.0]]),
    "a wide array": lambda: Tensor(np.ones([2, 3])),
    # What is wrong: MAX says so.
    "shapes": lambda: numbers(2, 3) + numbers(2),
    "inner sizes": lambda: numbers(2, 3) @ numbers(2, 3),
    "a slice past the end": lambda: numbers(2, 3)[:, 0:9],
    "an index past the end": lambda: numbers(2, 3)[5],
    "an id past the end": lambda: F.gather(numbers(2, 3), whole(4), axis=0),
    "an axis": lambda: F.softmax(numbers(2, 3), axis=2),
    "a size": lambda: numbers(2, 3).reshape([4, 2]),
    "a band": lambda: F.band_part(numbers(3, 3), None, 3),
    "a precise number": lambda: numbers(2, 3) * 16777217,
    "lengths": lambda: F.concat([numbers(2, 3), numbers(3, 2)]),
    "parts": lambda: F.chunk(numbers(2, 3), 2, axis=1),
    "an epsilon": lambda: F.layer_norm(numbers(2, 3), numbers(3), numbers(3), 0.0),
    "an argument": lambda: F.softmax(numbers(2, 3), dim=1),  # type: ignore[call-arg]
}


@pytest.mark.parametrize("name", LEFT_TO_MAX)
def test_the_rest_is_maxs_affair(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def outcome(direct: bool) -> Any:
        try:
            with way(direct, monkeypatch):
                return values(LEFT_TO_MAX[name]())
        except Exception as error:
            return type(error), str(error)

    assert outcome(True) == outcome(False)


def test_a_rule_uses_what_max_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    with way(True, monkeypatch) as graphs:
        collected = F.cumsum(whole(1, 3).cast(DType.float32), axis=1)
        assert graphs == []
        result = collected + 1
        assert len(graphs) == 1
        assert result.to_numpy().tolist() == [[1, 2, 4]]


def test_a_write_is_seen_by_the_next_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    with way(True, monkeypatch):
        table = Tensor.zeros([2, 3])
        table[0:1] = Tensor.ones([1, 3])
        assert (table * 2).to_numpy().tolist() == [[2, 2, 2], [0, 0, 0]]


def test_results_have_their_own_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    with way(True, monkeypatch):
        table = Tensor.zeros([2, 3])
        before = table[0], F.broadcast_to(table, [2, 3]), table.T
        table[0:1] = Tensor.ones([1, 3])
        assert all((part.to_numpy() == 0).all() for part in before)


def test_a_parameters_transpose_is_kept_until_a_write() -> None:
    table, other = numbers(3, 4), numbers(3, 4)
    transposes = Transposes([table])
    with direct_operations(transposes):
        first = table.T
    with direct_operations(transposes):
        assert table.T.driver_tensor is first.driver_tensor
        assert table.transpose(0, 0).shape == [3, 4]
        assert other.T.driver_tensor is not other.T.driver_tensor
        table[0:1] = Tensor.ones([1, 4])
        assert (table.T.to_numpy()[:, 0] == 1).all()


def test_another_value_in_a_parameter_has_another_transpose() -> None:
    table = whole(3, 4)
    with direct_operations(Transposes([table])):
        assert table.T.to_numpy().max() == 11
        table._storages = (table * 2)._storages
        assert table.T.to_numpy().max() == 22


def test_the_switch_turns_rules_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_PLAIN_MAX", "1")
    with direct_operations():
        result = numbers(2, 3) + 1
        assert not result.real
    assert result.to_numpy().shape == (2, 3)


def test_a_compiled_model_is_traced_as_before() -> None:
    with direct_operations(), F.lazy():
        result = numbers(2, 3) + 1
        assert not result.real

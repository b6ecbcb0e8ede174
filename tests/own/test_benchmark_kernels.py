"""The benchmarks of the kernels, without their timing."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import parts, products
from gpt2.engine.kernel_operations import KERNELS


def test_the_kernels_without_fetching_differ_in_one_line(tmp_path: Path):
    changed = products.without_fetching(str(tmp_path))
    for path in KERNELS.glob("*.mojo"):
        old = path.read_text().splitlines()
        new = (changed / path.name).read_text().splitlines()
        differing = [b for a, b in zip(old, new, strict=True) if a != b]
        assert differing == (["    pass"] if path.name == "products.mojo" else [])


def test_a_wrong_product_is_not_timed():
    rng = np.random.default_rng(0)
    weight, x = rng.standard_normal([2, 5, 4]), rng.standard_normal([3, 4])
    products.check(lambda x: x @ weight[0].T, weight[0], x, "right, float32")
    with pytest.raises(AssertionError, match="wrong, float32 is wrong by"):
        products.check(lambda x: x @ weight[1].T, weight[0], x, "wrong, float32")


@pytest.mark.parametrize(
    ("precision", "size"),
    # 64 numbers, then the matrices' places for a learner's kernel or for the scales
    [("float32", 4 * 64 + 8), ("bfloat16", 2 * 64 + 8), ("int8", 64 + 2 * 4)],
)
def test_the_size_of_weights_counts_the_scales(precision, size):
    weights = {"h.0.mlp.c_fc.weight": np.ones([2, 32], dtype=np.float32)}
    assert parts.size(weights, precision) == size
    assert weights, "the weights are still there for the next precision"


def test_the_parts_of_a_token_come_from_differences():
    times = {
        "whole": (16.0, 15.0),  # in all, and inside the graph
        "one layer": (5.0, 4.0),
    }
    assert parts.parts(times) == {
        "twelve layers": 12.0,
        "head, and the rest of the graph": 3.0,
        "outside the graph: copies, Python": 1.0,
        "all": 16.0,
    }

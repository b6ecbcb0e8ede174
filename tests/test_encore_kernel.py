"""Checks the encore on a kernel in Mojo."""

from signal import SIGBUS, SIGSEGV

import numpy as np

from course.check_program import check_file
from course.checks import CheckFailed, expect_numbers, require
from course.messages import Array
from course.process import Crashed
from tests import kernel_calls

# Rows and columns: more rows than columns and fewer, one of them, no column.
SHAPES = [(3, 5), (7, 2), (1, 6), (4, 1), (3, 0)]
WHOLE = [(1, 256), (2, 512), (3, 768)]  # multiples of the widest vectors
TAILS = [(2, 1), (3, 17), (1, 63), (2, 129), (3, 300), (2, 0)]
FEW_ROWS = [(1, 20), (2, 20), (3, 64), (5, 9)]  # also fewer than cores
MANY_ROWS = [(65, 40), (257, 70), (510, 33)]
LONG_ROW = 3072  # the widest row of the smallest GPT-2
LARGE = 4096, 1024
OUTSIDE = (
    "The kernel crashed: it reads or writes far outside y, x and W. Look at the places "
    "that you compute from i, j, outs and ins."
)
ENDED = (
    "The kernel ended its process: an error was raised on one of the cores, or memory "
    "outside y was overwritten."
)
NARROW = 1_000_000, 8  # cores that share rows meet often


def arrays(outs, ins, seed=18):
    """Returns x and W; the sums of a row have a size around 1."""
    rng = np.random.default_rng(seed)
    x, w = rng.normal(0, 1, ins), rng.normal(0, max(1, ins) ** -0.5, (outs, ins))
    return x.astype(np.float32), w.astype(np.float32)


def called(name, outs, ins):
    """The report's name for a call."""
    if name == "dot":
        return f"dot(row, x, {ins})" + (f" for each of {outs} rows" if outs > 1 else "")
    return f"{name}(y, x, w, {outs}, {ins})"


def ask(step, function, call, *arguments):
    """Calls a function of ``kernel_calls`` in the worker."""
    try:
        return step.hold(function)(step.module, *arguments)
    except Crashed as crash:
        message = OUTSIDE if crash.signal in (SIGSEGV, SIGBUS) else ENDED
        facts = [("called", call), ("signal", str(crash.signal))]
        raise CheckFailed(message, facts) from None


def expect_product(step, name, shapes):
    """Requires a function to compute y = W x, and to stay inside the arrays."""
    for outs, ins in shapes:
        x, w = arrays(outs, ins)
        call = called(name, outs, ins)
        found = ask(step, kernel_calls.product, call, name, x, w)
        expect_inside(found, call)
        right = w.astype(np.float64) @ x.astype(np.float64)
        expect_numbers(found["y"], right, call, axes="row")


def expect_right_dot(step):
    """Requires dot to be right, before anything calls it on all cores.

    An error that dot raises there, as a blank does, would end the process.
    """
    call = called("dot", *TAILS[-2])
    for outs, ins in [*WHOLE, *TAILS]:
        x, w = arrays(outs, ins)
        y = ask(step, kernel_calls.product, call, "dot", x, w)["y"].values
        right = np.allclose(y, w @ x, rtol=1e-4, atol=1e-4)
        message = "The product uses dot, which is not right yet."
        require(right, message, called("dot", outs, ins), message)


def expect_steady(step):
    """Requires ``matvec`` to give the same numbers in many runs."""
    outs, ins = NARROW
    call = called("matvec", outs, ins)
    results = ask(step, kernel_calls.products, call, outs, ins)
    if len(results) > 1:
        first, other = (result.values for result in results)
        count = np.count_nonzero(first != other)
        facts = [("called", call), ("differing", f"{count} of {outs} rows")]
        message = "Two runs with the same numbers give different results."
        raise CheckFailed(message, facts, message)


def expect_inside(found, call):
    """Requires that nothing outside y was written, and nothing outside x and W read."""
    for place in ("before", "behind"):
        if count := int(as_number(found[place])):
            what = f"{count} number{'s' if count > 1 else ''} {place} y"
            facts = [("called", call), ("written", what)]
            raise CheckFailed("The kernel writes outside y.", facts, what)
    require(not found["inputs"], "The kernel writes into x or W.", call, "inputs")
    y = found["y"].values
    if np.isnan(y).any():
        facts = [("called", call), ("rows", f"{np.isnan(y).sum()} of {y.size} are NaN")]
        message = "The kernel reads numbers outside x or W (there are NaNs)."
        raise CheckFailed(message, facts, y)


def as_number(value):
    """Returns a count, which the worker may have sent as an array."""
    return value.values if isinstance(value, Array) else value


def rates(times, weights):
    """The report's rows for times: how many weights each does in a nanosecond."""
    best = {name: weights / each["seconds"] / 1e9 for name, each in times.items()}
    return [(name, f"{rate:.1f} weights/ns") for name, rate in best.items()]


def test_plain(step):
    """The plain loop computes y = W x.

    y holds other numbers before the call. A row of no numbers gives 0.
    """
    expect_product(step, "plain", SHAPES)


def test_whole_vectors(step):
    """The dot product is right for rows that fill their vectors."""
    expect_product(step, "dot", WHOLE)


def test_tail(step):
    """The dot product is right for rows of any size.

    A row may end in the middle of a vector, or be shorter than one.
    """
    expect_product(step, "dot", TAILS)


def test_several_sums(step):
    """The dot product has several sums: it does not wait for each addition.

    It is compared with one sum in one register, in the same run. Not judged where the
    processor gains nothing from several.
    """
    call = called("dot", 1, LONG_ROW)
    times = ask(step, kernel_calls.row_times, call, LONG_ROW)
    facts = [("called", call), *rates(times, LONG_ROW * kernel_calls.REPEATED)]
    if not kernel_calls.vectors(times):
        message = "The dot product is hardly faster than a plain loop."
        raise CheckFailed(message, facts, message)
    if not kernel_calls.several_sums(times):
        word = "slower" if kernel_calls.is_slower(times) else "not faster"
        message = f"The dot product is {word} than one with a single sum."
        raise CheckFailed(message, facts, message)


def test_few_rows(step):
    """The product on all cores is right for a few rows, also for fewer than cores."""
    expect_right_dot(step)
    expect_product(step, "matvec", FEW_ROWS)


def test_many_rows(step):
    """The product on all cores is right for many rows."""
    expect_right_dot(step)
    expect_product(step, "matvec", MANY_ROWS)


def test_same_every_time(step):
    """The product on all cores gives the same numbers every time.

    If two cores write to one place, the result depends on which is faster.
    """
    expect_right_dot(step)
    expect_steady(step)


def test_speed(step):
    """The cores share the work, and the product is not far behind NumPy's.

    It is compared with NumPy, and with a plain loop, in the same run. Cores are not
    judged on a machine that has only one.
    """
    expect_right_dot(step)
    expect_steady(step)
    outs, ins = LARGE
    call = called("matvec", outs, ins)
    times = ask(step, kernel_calls.matrix_times, call, outs, ins)
    facts = [("called", call), *rates(times, outs * ins)]
    for reached, message in [
        (kernel_calls.on_all_cores(times), "One core does nearly all the work."),
        (kernel_calls.vectors(times), "The cores are hardly faster than a plain loop."),
        (not kernel_calls.far_behind(times), "The product is far behind NumPy's."),
    ]:
        if not reached:
            raise CheckFailed(message, facts, message)


if __name__ == "__main__":
    check_file(__file__)

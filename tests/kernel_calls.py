"""Calls of the code under test for the kernel's checker; they run in the worker."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

MARGIN = 4096  # numbers before and behind each array, in the same piece of memory
UNTOUCHED = -77.0  # what y and its margins hold before the call
REPEATED = 300  # products of one row in a measurement
LINE = 16  # numbers in a cache line
ELSEWHERE = 0.15  # of the work, where more than one core works
QUIET = 0.02  # seconds after which threads do not wait busily for more work
AGAIN = 40  # runs in which two cores surely meet
LEAST, MOST = 5, 25  # rounds of measurements; right code seldom needs more than 5

Times = dict[str, dict[str, float]]


def product(
    module: ModuleType, name: str, x: np.ndarray, w: np.ndarray
) -> dict[str, Any]:
    """Computes y = W x with one of a module's functions, with margins around arrays.

    Returns:
        ``y``; ``before`` and ``behind``, how many numbers outside y were written; and
        ``inputs``, whether x, W or their margins were written.
    """
    whole_y = np.full(len(w) + 2 * MARGIN, UNTOUCHED, np.float32)
    inputs = [surrounded(x), surrounded(w)]
    kept = [array.copy() for array in inputs]
    y = inside(whole_y, (len(w),))
    inner = inside(inputs[0], x.shape), inside(inputs[1], w.shape)
    getattr(module, name)(y, *inner)
    pairs = zip(inputs, kept, strict=True)
    return {
        "y": y,
        "before": np.count_nonzero(whole_y[:MARGIN] != UNTOUCHED),
        "behind": np.count_nonzero(whole_y[-MARGIN:] != UNTOUCHED),
        "inputs": any(not np.array_equal(a, b, equal_nan=True) for a, b in pairs),
    }


def surrounded(array: np.ndarray) -> np.ndarray:
    """Puts NaNs around an array: who reads outside it gets a NaN for a result."""
    margin = np.full(MARGIN, np.nan, np.float32)
    return np.concatenate([margin, array.ravel(), margin])


def inside(whole: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Returns the array between the margins."""
    return whole[MARGIN:-MARGIN].reshape(shape)


def products(module: ModuleType, outs: int, ins: int) -> list[np.ndarray]:
    """Computes the same product again and again.

    Returns:
        The first result, and the first that differs from it, if there is one.
    """
    w, x, first = numbers(outs, ins), numbers(ins), np.zeros(outs, np.float32)
    module.matvec(first, x, w)
    y = np.zeros(outs, np.float32)
    for _ in range(AGAIN):
        y.fill(UNTOUCHED)
        module.matvec(y, x, w)
        if not np.array_equal(y, first, equal_nan=True):
            return [first, y]
    return [first]


def measured(
    contenders: Mapping[str, Callable[[], None]],
    done: Callable[[Times], bool],
    pause: float = 0.0,
) -> Times:
    """Measures contenders in turns.

    Ends as soon as ``done`` says so: on a busy machine a good time may take long.

    Args:
        contenders: what to call, by name.
        done: says whether the times are good enough.
        pause: seconds before each contender, until the threads of others are quiet.

    Returns:
        For each contender the least ``seconds`` on the clock, the least time of all
        threads together (``processor``), and which part of that time other threads
        than the calling one needed (``elsewhere``).
    """
    units = "seconds", "processor", "elsewhere"
    least = {name: dict.fromkeys(units, np.inf) for name in contenders}
    for number in range(MOST):
        if number >= LEAST and done(least):
            break
        for name, call in contenders.items():
            time.sleep(pause)
            call()  # wakes the cores
            before = clocks()
            call()
            seconds, processor, here = (clocks() - before).tolist()
            found = seconds, processor, 1 - here / processor
            for unit, value in zip(units, found, strict=True):
                least[name][unit] = min(least[name][unit], value)
    return least


def clocks() -> np.ndarray:
    """Reads the clock, the time of all threads and that of the calling thread."""
    return np.array([time.perf_counter(), time.process_time(), time.thread_time()])


def row_times(module: ModuleType, size: int) -> Times:
    """Measures one row many times, in the first-level cache.

    Returns:
        What ``measured`` returns of ``yours``, and of the reference with ``one sum``
        and with ``several`` sums, and without vectors (``plain``).
    """
    row, x, y = aligned(numbers(1, size)), aligned(numbers(size)), aligned(numbers(1))
    known = known_kernels()
    functions = {
        "yours": module.dot,
        "one sum": known["one sum"].dot,
        "several": known[""].dot,
        "plain": known["no vectors"].dot,
    }
    contenders = {
        name: partial(function, y, x, row, REPEATED)
        for name, function in functions.items()
    }
    return measured(contenders, lambda times: vectors(times) and several_sums(times))


def vectors(times: Times) -> bool:
    """Says whether the time is less than half of that without vectors."""
    return times["yours"]["processor"] * 2 < times["plain"]["processor"]


def several_sums(times: Times) -> bool:
    """Says whether a row takes less time than the middle of one and several sums.

    A machine on which several sums gain less than a fifth is not judged.
    """
    yours, one, several = (
        times[name]["processor"] for name in ("yours", "one sum", "several")
    )
    return several * 1.2 > one or yours <= (one * several) ** 0.5


def is_slower(times: Times) -> bool:
    """Says whether a row takes clearly more time than with one sum."""
    return times["yours"]["processor"] > 1.25 * times["one sum"]["processor"]


def matrix_times(module: ModuleType, outs: int, ins: int) -> Times:
    """Measures a whole product.

    Returns:
        What ``measured`` returns of ``yours``, of the reference on ``all cores``, of
        its ``plain`` loop and of ``NumPy``.
    """
    w, x, y = aligned(numbers(outs, ins)), numbers(ins), numbers(outs)
    known = known_kernels()
    contenders = {
        "yours": partial(module.matvec, y, x, w),
        "all cores": partial(known[""].matvec, y, x, w),
        "plain": partial(known[""].plain, y, x, w),
        "NumPy": partial(np.matmul, w, x, out=y),
    }
    return measured(contenders, good, pause=QUIET)


def good(times: Times) -> bool:
    """Says whether nothing is wrong with the times of a whole product."""
    return on_all_cores(times) and vectors(times) and not far_behind(times)


def on_all_cores(times: Times) -> bool:
    """Says whether other threads have done a good part of the work.

    A machine with one core is not judged: there the reference works in one thread.
    """
    yours, reference = times["yours"]["elsewhere"], times["all cores"]["elsewhere"]
    return reference < ELSEWHERE or yours > ELSEWHERE


def far_behind(times: Times) -> bool:
    """Says whether NumPy is four times as fast, on the clock and in processor time."""
    yours, other = times["yours"], times["NumPy"]
    return all(yours[each] > 4 * other[each] for each in ("seconds", "processor"))


def aligned(array: np.ndarray) -> np.ndarray:
    """Copies an array to an address at which a cache line begins.

    Otherwise vectors lie in two lines each, and the time depends on chance.
    """
    whole = np.empty(array.size + LINE, np.float32)
    start = -whole.ctypes.data % (4 * LINE) // 4
    copy = whole[start : start + array.size].reshape(array.shape)
    copy[:] = array
    return copy


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(180).normal(0, 1, shape).astype(np.float32)


def known_kernels() -> dict[str, ModuleType]:
    """Returns the solution, named "", and the known mistakes, to compare speeds."""
    from course.mojo_module import known_versions
    from course.registry import find_exercise

    return known_versions(find_exercise("kernel"))

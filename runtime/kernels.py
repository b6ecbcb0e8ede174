"""Gives MAX's interpreter kernels that were compiled many at a time.

Left alone, it compiles a kernel when an operation first needs it, each for itself: 20
to 40 s on two cores. To import this is quick; MAX is imported when a kernel is missed.
"""

from contextlib import suppress
from functools import cache
from typing import Any

from runtime.announce import Announce, on_stderr
from runtime.plain_max import plain_max


class Kernels:
    """Stands between MAX's interpreter and its compiler.

    The places where it does so are inside MAX. Where a later MAX has none such, each
    kernel is compiled for itself.

    Attributes:
        announce: entered while something is compiled.
    """

    def __init__(self) -> None:
        self.announce: Announce = on_stderr
        self.loaded: set[str] = set()
        if plain_max():
            return
        with suppress(ImportError, AttributeError):
            from max import _eager_policy as policy

            # The interpreter itself is not imported yet, and takes its time.
            self.policy, self.allow = policy, policy.allow_lazy_compile
            policy.allow_lazy_compile = self.first_miss

    def first_miss(self) -> bool:
        """Takes the compiler's place just before MAX calls it for the first time."""
        self.policy.allow_lazy_compile = self.allow
        with suppress(ImportError, AttributeError):
            from max._interpreter_ops import gc_compile

            self.interpreter = gc_compile
            self.compile_alone = gc_compile.compile_single_target
            gc_compile.compile_single_target = self.provide
            # It would advise to compile everything, and takes reading for compiling.
            self.policy.record_cold_compile = lambda *_, **__: None
        return self.allow()

    def provide(self, family: Any, key: str, *rest: Any) -> Any:
        """A kernel from its batch, or compiled for itself."""
        from runtime.kernel_batches import BATCHES, load_batch

        for name, keys in BATCHES.items():
            if key in keys and name not in self.loaded:
                self.loaded.add(name)  # or tried: what fails takes its time once
                models = load_batch(name, self.announce)
                for each in self.interpreter.registered_families():
                    each.cache.update(models)
        if key in family.cache:
            return family.cache[key]
        with self.announce(f"the kernel {key}", None):
            return self.compile_alone(family, key, *rest)


@cache
def use_kernels() -> Kernels:
    """Makes this process's interpreter use the batches, from now on."""
    return Kernels()

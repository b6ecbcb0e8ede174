"""Gives MAX's interpreter kernels that were compiled in batches.

Otherwise MAX compiles each kernel separately when an operation first needs it: 20 to
40 s each on two cores. Importing this file is quick: it imports MAX only on demand.
"""

from contextlib import suppress
from functools import cache
from typing import Any

from runtime.announce import Announce, on_stderr
from runtime.plain_max import plain_max


class Kernels:
    """Answers MAX's interpreter when it asks its compiler for a kernel.

    This class replaces private functions of MAX. If a later MAX lacks them, MAX
    compiles each kernel separately.

    Attributes:
        announce: makes the context manager that is entered around each compile.
    """

    def __init__(self) -> None:
        self.announce: Announce = on_stderr
        self.loaded: set[str] = set()
        if plain_max():
            return
        with suppress(ImportError, AttributeError):
            from max import _eager_policy as policy

            # Importing the interpreter is slow, so that waits for the first kernel.
            self.policy, self.allow = policy, policy.allow_lazy_compile
            policy.allow_lazy_compile = self.first_miss

    def first_miss(self) -> bool:
        """Replaces the compiler just before MAX calls it for the first time."""
        self.policy.allow_lazy_compile = self.allow
        with suppress(ImportError, AttributeError):
            from max._interpreter_ops import gc_compile

            self.interpreter = gc_compile
            self.compile_alone = gc_compile.compile_single_target
            gc_compile.compile_single_target = self.provide
            # MAX would count reading as compiling, and advise to compile everything.
            self.policy.record_cold_compile = lambda *_, **__: None
        return self.allow()

    def provide(self, family: Any, key: str, *rest: Any) -> Any:
        """Returns a kernel from its batch, or compiles it separately."""
        from runtime.kernel_batches import BATCHES, load_batch

        for name, keys in BATCHES.items():
            if key in keys and name not in self.loaded:
                self.loaded.add(name)  # also after a failure, so that it is tried once
                models = load_batch(name, self.announce)
                for each in self.interpreter.registered_families():
                    each.cache.update(models)
        if key in family.cache:
            return family.cache[key]
        with self.announce(f"the kernel {key}", None):
            return self.compile_alone(family, key, *rest)


@cache
def use_kernels() -> Kernels:
    """Makes MAX's interpreter use the batches in this process."""
    return Kernels()

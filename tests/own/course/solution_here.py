"""A solution as a checker sees it, but in this process."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass
class Held:
    """Stands for a checker's object, as if it were in a worker."""

    value: Any

    def call(self, method: str) -> Any:
        return getattr(self.value, method)()


class SolutionHere:
    """Stands for the code under test."""

    def __init__(self, solution: ModuleType) -> None:
        self._solution = solution

    def hold(self, value: Any) -> Held:
        return Held(value)

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any, **options: Any) -> Any:
            plain = [g.value if isinstance(g, Held) else g for g in given]
            return getattr(self._solution, name)(*plain, **options)

        return call

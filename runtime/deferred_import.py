"""Imports MAX without its kernels for paged caches: a quarter of a second less.

MAX's layers import them though only its server calls them. Here they are imported when
they are called; to import this module before MAX's layers is enough.
"""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from runtime.plain_max import plain_max

NAME = "max._kv_cache_ops"


class Deferred(ModuleType):
    """Stands for a module of functions until one of them is called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args: getattr(import_real(), name)(*args)


def import_real() -> ModuleType:
    """Imports the module itself in the place of its stand-in."""
    if isinstance(sys.modules.get(NAME), Deferred):
        del sys.modules[NAME]
    return importlib.import_module(NAME)


if not plain_max():
    sys.modules.setdefault(NAME, Deferred(NAME))

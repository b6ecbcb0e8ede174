"""What differs between the releases of MAX on which the course runs."""

from importlib.metadata import version

from packaging.version import Version

try:  # up to 26.6
    from max.experimental.nn import subgraphable as as_subgraph
except ImportError:
    from max.experimental.compilation import as_subgraph

# Up to 26.6 a graph that uses a weight in a branch crashes when it is called.
WEIGHTS_IN_BRANCHES = Version(version("max")) >= Version("26.7")

__all__ = ["WEIGHTS_IN_BRANCHES", "as_subgraph"]

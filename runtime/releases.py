"""What differs between the releases of MAX on which the course runs."""

from importlib.metadata import version

from packaging.version import Version

# Up to 26.6 a graph that uses a weight in a branch crashes when it is called.
WEIGHTS_IN_BRANCHES = Version(version("max")) >= Version("26.7")

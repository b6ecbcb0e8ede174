"""Settings for tests that import MAX themselves; they must come before that."""

import os

# The default executor compiles every operation in processes of its own besides.
os.environ.setdefault("MAX_EAGER_EXECUTOR", "interpreter")

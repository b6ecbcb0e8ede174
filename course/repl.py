"""Python with MAX as the checks run it: ``python -i -m course.repl``."""

from contextlib import ExitStack

from max.driver import CPU
from max.dtype import DType
from max.experimental.tensor import default_device, default_dtype

from gpt2.kernels import use_kernels

settings = ExitStack()  # for as long as Python runs
settings.enter_context(default_device(CPU()))
settings.enter_context(default_dtype(DType.float32))
use_kernels()
print("MAX works on the CPU and in float32, as in the checks. Ctrl-D ends.")

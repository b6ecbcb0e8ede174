"""Python with MAX as the checks run it: ``course repl``."""

from contextlib import ExitStack

from runtime.ctrl_c import raise_on_ctrl_c
from runtime.defaults import on_the_cpu

settings = ExitStack()  # these settings last until Python ends
settings.enter_context(on_the_cpu())
raise_on_ctrl_c()
print("MAX works on the CPU and in float32, as in the checks. Ctrl-D ends.")

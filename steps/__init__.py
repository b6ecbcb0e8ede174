"""MAX runs this with kernels that are compiled together."""

from gpt2.kernels import use_kernels

use_kernels()

"""The programs that ``benchmarks.decode`` compares.

Each runs with a Python of its own: ``python -m benchmarks.programs.NAME FOLDER
PRECISION THREADS``. The folder has the weights. Programs of others import nothing from
the course but this package, and need Python 3.12 or newer.
"""

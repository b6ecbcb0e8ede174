"""The checkers of the steps, the oracle that they compare with, the known mistakes."""

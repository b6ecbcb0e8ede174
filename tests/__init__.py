"""What judges the steps: checkers, the oracle they trust, the known mistakes."""

"""GPT-2 in NumPy, written from the equations. Checkers compare with it."""

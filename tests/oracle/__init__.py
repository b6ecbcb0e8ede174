"""GPT-2 once more, in NumPy, written from the equations: what the checkers trust."""

"""A learner's own model and encores, and errors that name their step."""

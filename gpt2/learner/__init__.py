"""Runs a learner's model and encores; errors name the step."""

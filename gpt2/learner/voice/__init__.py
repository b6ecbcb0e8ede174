"""Lets the embedded model write with a learner's part in it, after a verdict."""

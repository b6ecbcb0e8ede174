"""The course's own tests: what a learner never needs to read."""

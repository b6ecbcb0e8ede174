"""The tools around the exercises: grading, diagnosis, progress, hints, set-up."""

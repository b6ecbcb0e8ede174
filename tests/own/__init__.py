"""The course's own tests. Learners need not read these."""

"""The lowest floor: everything that works around MAX, and nothing else."""

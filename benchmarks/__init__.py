"""Measurements of the course and of generation; MAX interprets eager operations."""

from runtime.defaults import interpret_operations

interpret_operations()  # before any of them imports MAX

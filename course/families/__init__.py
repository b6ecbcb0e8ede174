"""Families of mistakes: operators on a solution's syntax tree make wrong versions.

Each operator takes a place in the tree and yields changes, each with its sentence.
"""

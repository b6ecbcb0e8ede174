"""Builds the book: turns ``book/src`` into pages, makes its figures and numbers."""

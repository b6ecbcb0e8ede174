"""The book: what turns ``book/src`` into pages, and its figures and numbers."""

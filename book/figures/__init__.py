"""One module for each page that has figures or numbers.

A module may define ``figures()``, which maps names to drawn figures, and ``numbers()``,
which maps names to text or to a table's rows. ``python -m book.figures`` runs all
modules.
"""

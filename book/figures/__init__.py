"""One module for each page that has figures or numbers.

A module may define ``figures()``, from a figure's name to the drawn figure, and
``numbers()``, from a name to text or to a table's rows; ``python -m book.figures`` runs
them all.
"""

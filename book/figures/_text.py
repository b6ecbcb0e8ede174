"""Formats numbers for the book's tables and figures."""


def decimal(value: float, digits: int = 2) -> str:
    """A number with ``digits`` digits after the point, without a negative zero."""
    return f"{round(float(value), digits) + 0.0:.{digits}f}"


def percent(share: float, digits: int = 0) -> str:
    """A share between 0 and 1 as a percentage."""
    return f"{decimal(100 * share, digits)} %"

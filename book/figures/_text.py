"""Numbers as the book's tables and figures write them."""


def decimal(value: float, digits: int = 2) -> str:
    """A number with so many digits after the point, and never a negative zero."""
    return f"{round(float(value), digits) + 0.0:.{digits}f}"


def percent(share: float, digits: int = 0) -> str:
    """A share of 1 as a percentage."""
    return f"{decimal(100 * share, digits)} %"

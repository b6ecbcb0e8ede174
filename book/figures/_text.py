"""Formats numbers for the book's tables and figures."""

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def decimal(value: float, digits: int = 2) -> str:
    """A number with ``digits`` digits after the point, without a negative zero."""
    return f"{round(float(value), digits) + 0.0:.{digits}f}"


def scientific(value: float) -> str:
    """A positive number as two digits times a power of ten, such as 1.5 · 10⁻⁸."""
    digits, power = f"{value:.1e}".split("e")
    return f"{digits} · 10{str(int(power)).translate(SUPERSCRIPT)}"


def percent(share: float, digits: int = 0) -> str:
    """A share between 0 and 1 as a percentage."""
    return f"{decimal(100 * share, digits)} %"

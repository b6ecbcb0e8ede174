"""A console whose cursor stays visible."""

import rich.console


class Console(rich.console.Console):
    """Rich's console, for spinners and bars.

    Rich hides the cursor meanwhile. A signal may end the program before Rich shows the
    cursor again, and a terminal without a cursor would be left.
    """

    def show_cursor(self, show: bool = True) -> bool:
        """Does nothing; returns False."""
        return False

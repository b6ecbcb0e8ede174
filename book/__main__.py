"""The program ``book``; ``python -m book`` runs it too."""

from course.foreign import refuse_foreign_packages
from course.streams import mend_streams


def main() -> None:
    """Serves the book on this machine, or builds it."""
    mend_streams()
    refuse_foreign_packages()
    from book.cli import main
    from runtime.children import end_with_launcher

    end_with_launcher()
    main(prog_name="book")


if __name__ == "__main__":
    main()

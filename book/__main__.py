"""The program ``book``; ``python -m book`` runs it too."""

from course.foreign import refuse_foreign_packages


def main() -> None:
    """Serves the book on this machine, or builds it."""
    refuse_foreign_packages()
    from book.cli import main

    main(prog_name="book")


if __name__ == "__main__":
    main()

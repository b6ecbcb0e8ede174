"""The program ``gpt2``, which lets a finished GPT-2 write; ``python -m gpt2`` too."""

from course.foreign import refuse_foreign_packages


def main() -> None:
    """Runs what the first word names, or else continues a text."""
    refuse_foreign_packages()
    from gpt2.commands.cli import main

    main()


if __name__ == "__main__":
    main()

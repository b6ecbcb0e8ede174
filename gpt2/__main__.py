"""The program ``gpt2``, also started by ``python -m gpt2``: a GPT-2 writes text."""

from course.foreign import refuse_foreign_packages
from course.streams import mend_streams


def main() -> None:
    """Runs the command that the first argument names, or continues a text."""
    mend_streams()
    refuse_foreign_packages()
    from gpt2.commands.cli import main
    from runtime.children import end_with_launcher

    end_with_launcher()
    main()


if __name__ == "__main__":
    main()

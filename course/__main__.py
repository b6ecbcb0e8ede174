"""The program ``course``; ``python -m course`` is the same."""

import sys

from course.foreign import refuse_foreign_packages
from course.streams import mend_streams


def main() -> None:
    """Runs a command; only the doctor runs where packages are not the course's."""
    mend_streams()
    if sys.argv[1:2] == ["doctor"]:
        from course.commands import typed
        from course.doctor import doctor

        doctor(sys.argv[2:], prog_name=typed("course doctor"))
    refuse_foreign_packages()
    from course.cli import main
    from course.commands import typed
    from runtime.children import end_with_launcher

    end_with_launcher()
    main(prog_name=typed("course"))


if __name__ == "__main__":
    main()

"""The commands ``course dev refresh``, ``check`` and ``try-max``."""

import sys
import time

import click

from course.dev import trial
from course.dev.causes import Results, read_results
from course.dev.recorded import RECORDED, Recorded
from runtime.terminal import Console

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)
NAMES = click.Choice([recorded.name for recorded in RECORDED])
CAUSES, TESTS, ERROR = 6, 3, 160  # at most on a screen: causes, tests, characters
TABLE = "\b\n" + "\n".join(f"{r.name:11}{r.writes}" for r in RECORDED)


@click.group()
def dev() -> None:
    """For those who work on the course itself."""


@dev.command(epilog=TABLE)
@click.argument("names", nargs=-1, type=NAMES)
def check(names: tuple[str, ...]) -> None:
    """Say which recorded files are stale, and which command mends each."""
    if any([carry_out(recorded, check=True) for recorded in chosen(names)]):
        sys.exit(1)
    console.print("[green]✓[/] Everything that is recorded is up to date.")


@dev.command(epilog=TABLE)
@click.argument("names", nargs=-1, type=NAMES)
def refresh(names: tuple[str, ...]) -> None:
    """Make recorded files anew where they are stale, and name each.

    The goldens are made only when named, otherwise checked: they need PyTorch, in an
    environment that uv makes. The training is only checked: it needs a folder that the
    repository does not have.
    """
    failed = [
        carry_out(recorded, check=recorded.apart and not names)
        for recorded in chosen(names)
    ]
    if any(failed):
        sys.exit(1)
    console.print("[green]✓[/] Everything that is recorded is up to date.")


def chosen(names: tuple[str, ...]) -> list[Recorded]:
    """Returns the scripts with these names, or all if there are no names."""
    return [r for r in RECORDED if r.name in names or not names]


def carry_out(recorded: Recorded, *, check: bool) -> bool:
    """Runs one script and prints its output; returns whether it failed."""
    verb = "checks" if check else "makes"
    with errors.status(f"{recorded.module} {verb} {recorded.writes}"):
        done = recorded.run(check=check)
    console.print(done.stdout, end="", markup=False, soft_wrap=True)
    errors.print(done.stderr, end="", markup=False, soft_wrap=True)
    return done.returncode != 0


@dev.command("try-max")
@click.argument("version")
@click.option("--quick", is_flag=True, help="run the graded exercises alone")
def try_max(version: str, quick: bool) -> None:
    """Run the suite with another VERSION of MAX, or with the newest.

    The suite runs in a temporary copy of the course, in a new environment. MAX compiles
    everything anew there: a few minutes with --quick, else about half an hour.
    """
    try:
        release = trial.find_release(version)
        if version == "newest" and release == trial.pinned():
            console.print(
                f"The newest MAX is {release}, to which the course is pinned."
            )
            return
        sys.exit(try_release(release, quick=quick))
    except trial.TrialError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped; the copy of the course is gone.")


def try_release(release: str, *, quick: bool) -> int:
    """Runs the suite with a release and prints the results; returns 1 if it fails."""
    start = time.monotonic()
    with trial.temporary_copy() as course:
        with errors.status(f"uv installs MAX {release} in a copy of the course"):
            trial.install(course, release, quick=quick)
        with errors.status(f"The suite runs with MAX {release}: some minutes"):
            file, printed = trial.run_suite(course, quick=quick)
        if not file.exists():
            console.print(f"With MAX {release} the suite does not even start:\n")
            end = "\n".join(printed.splitlines()[-15:])
            console.print(end, markup=False, soft_wrap=True)
            return 1
        results = read_results(file, course)
    show(results, release, (time.monotonic() - start) / 60)
    return int(results.counts["failed"] > 0)


def show(results: Results, release: str, minutes: float) -> None:
    """Prints the counts, and each cause with its places and tests, on one screen."""
    counts = ", ".join(f"{count} {state}" for state, count in results.counts.items())
    verdict = "breaks" if results.broken else "runs"
    end = f"on MAX {release}: {counts}, in {minutes:.0f} min."
    console.print(f"The course {verdict} {end}")
    for cause, tests in list(results.broken.items())[:CAUSES]:
        place = " → ".join(filter(None, (cause.ours, cause.theirs)))
        more = ", …" if len(tests) > TESTS else ""
        lines = place, cause.error[:ERROR], f"{', '.join(tests[:TESTS])}{more}"
        text = f"\n{len(tests)}× {{}}\n   {{}}\n   {{}}".format(*lines)
        console.print(text, markup=False, soft_wrap=True)
    if (rest := len(results.broken) - CAUSES) > 0:
        console.print(f"\nAnd {rest} more causes.")

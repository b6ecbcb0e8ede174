"""Groups a suite's failures by cause: the error, and its places in the code."""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

PLACE = re.compile(r'(?:File ")?([^\s"\']+\.py)(?:", line |:)(\d+)')
ERROR = re.compile(r"^(?:E +)?((?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt)\b.*)")
INSTALLED = "site-packages/"


@dataclass(frozen=True)
class Cause:
    """An error that tests fail with, and its places.

    Attributes:
        ours: the last place in the course before the error, as ``file:line``.
        theirs: the last place in an installed package; empty if the course raised it.
        error: the exception, on one line.
    """

    ours: str
    theirs: str
    error: str


@dataclass(frozen=True)
class Results:
    """The results of a suite.

    Attributes:
        counts: how many tests ``passed``, ``failed`` and were ``skipped``.
        broken: the tests behind each cause, the most frequent cause first.
    """

    counts: dict[str, int]
    broken: dict[Cause, list[str]]


def read_results(file: Path, course: Path) -> Results:
    """Reads the JUnit file of a suite that ran in the folder ``course``."""
    counts = dict.fromkeys(("passed", "failed", "skipped"), 0)
    broken: dict[Cause, list[str]] = defaultdict(list)
    for case in ElementTree.parse(file).iter("testcase"):
        problems = [*case.findall("failure"), *case.findall("error")]
        skipped = case.find("skipped") is not None
        counts["failed" if problems else "skipped" if skipped else "passed"] += 1
        for problem in problems[:1]:
            broken[find_cause(problem, course)].append(name_of(case))
    frequent = sorted(broken.items(), key=lambda item: -len(item[1]))
    return Results(counts, dict(frequent))


def name_of(case: ElementTree.Element) -> str:
    """Names a test, ``test_cache.test_logits``, or a file that cannot be imported."""
    file, name = case.get("classname", "").rpartition(".")[2], case.get("name", "")
    return f"{file}.{name}" if file else name.rpartition(".")[2]


def find_cause(problem: ElementTree.Element, course: Path) -> Cause:
    """Finds the error and its two places in a failure's traceback."""
    text = f"{problem.get('message', '')}\n{problem.text or ''}"
    found = [match[1] for line in text.splitlines() if (match := ERROR.match(line))]
    error = found[-1] if found else text.strip().partition("\n")[0]
    ours, theirs = places(text, course)
    return Cause(ours, theirs, error)


def places(text: str, course: Path) -> tuple[str, str]:
    """Finds the last place in the course, and the last in a package after it."""
    ours = theirs = ""
    for path, line in PLACE.findall(text):
        if INSTALLED in path:
            theirs = f"{path.rpartition(INSTALLED)[2]}:{line}"
        elif (course / path).exists() and (course / path).is_relative_to(course):
            ours, theirs = f"{(course / path).relative_to(course)}:{line}", ""
    return ours, theirs

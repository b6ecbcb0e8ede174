"""All wrong versions that the operators make of one source."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from course.families import (
    arguments,
    calls,
    constructors,
    names,
    numbers,
    operands,
    statements,
)
from course.families.places import Change, Place, find_places

FAMILIES = (operands, calls, numbers, arguments, names, statements, constructors)
Operator = Callable[[Place], Iterator[Change]]
OPERATORS: list[Operator] = [
    operator for family in FAMILIES for operator in family.OPERATORS
]
# Operators that repeat, in an encore, mistakes of the steps that it builds on.
OF_STEPS = {
    arguments.exchanged,
    calls.left_out,
    calls.other_function,
    calls.other_order,
    calls.twice,
    numbers.defaults,
    numbers.transposed_axes,
    operands.changed,
    operands.dropped,
    operands.exchanged,
    statements.early_return,
}


@dataclass(frozen=True)
class Mutant:
    """A wrong version of a source.

    Attributes:
        name: where the change is, the old code and the new code.
        says: the sentence for a learner whose code does the same.
        source: the whole text of the wrong version.
    """

    name: str
    says: str
    source: str


def make_mutants(
    source: str, operators: Sequence[Operator] = OPERATORS
) -> Iterator[Mutant]:
    """Yields every wrong version that the operators make of a source."""
    text, seen = Text(source), Counter[str]()
    places = list(find_places(ast.parse(source)))
    functions = {tuple(place.names) for place in places if is_in_function(place)}
    for place in places:
        for operator in operators:
            for change in operator(place):
                name = name_of(place, change)
                seen[name] += 1
                if seen[name] > 1:
                    name += f" ({seen[name]})"
                says = located(change.says, place, functions)
                yield Mutant(name, says, text.after(change))


def is_in_function(place: Place) -> bool:
    """Says whether a place is in a function that calculates."""
    return place.function is not None and not place.in_constructor


def located(says: str, place: Place, functions: set[tuple[str, ...]]) -> str:
    """Puts the attribute or the function that a sentence is about in front of it.

    A function is named if the source has several; methods of one name by their class.
    """
    line = place.node if isinstance(place.node, ast.stmt) else place.statement
    where = ""
    if place.in_constructor and isinstance(line, ast.Assign):
        target = ast.unparse(line.targets[0])
        where = target if target.startswith("self.") and target not in says else ""
    elif len(functions) > 1 and place.names:
        of_one_name = [each for each in functions if each[-1] == place.names[-1]]
        where = place.names[-1 if len(of_one_name) == 1 else 0]
    return tidy(f"In `{where}`: {says[:1].lower()}{says[1:]}" if where else says)


def tidy(says: str) -> str:
    """Writes small numbers as the pages do."""
    return says.replace("e-0", "e-")


def name_of(place: Place, change: Change) -> str:
    """Names a change by its function and by the code before and after."""
    where = ".".join(place.names)
    before = ", ".join(ast.unparse(node) for node, _ in change.edits)
    after = ", ".join(new for _, new in change.edits)
    return f"{where}: {before} → {after}".removeprefix(": ")


class Text:
    """A source whose nodes can be replaced."""

    def __init__(self, source: str) -> None:
        self.source = source.encode()  # a node's column counts bytes
        self.starts = [0]
        for line in self.source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def after(self, change: Change) -> str:
        """Returns the source after a change."""
        source = self.source
        spans = sorted(((*self.span(n), new) for n, new in change.edits), reverse=True)
        for start, end, new in spans:
            source = source[:start] + new.encode() + source[end:]
        return source.decode()

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Returns where a node begins and ends in the source."""
        where: ast.expr = node  # type: ignore[assignment]
        assert where.end_lineno is not None
        assert where.end_col_offset is not None
        start = self.starts[where.lineno - 1] + where.col_offset
        return start, self.starts[where.end_lineno - 1] + where.end_col_offset

"""Messages name commands as the learner types them: with pixi, or with uv."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from course import commands
from course.registry import ROOT, load_registry
from gpt2.commands.prompt import COMMANDS as GPT2

COURSE = ("next", "hint", "diff", "reset", "check", "watch", "repl", "setup", "doctor")
NAMED = re.compile(
    rf"\b(pixi|uv) run\b|\bgpt2 (({'|'.join(GPT2)})\b|-- )|"
    rf"\bcourse ({'|'.join((*COURSE, 'progress'))})\b"
)
CHECK = re.compile(rf"\b({'|'.join(e.key for e in load_registry() if e.is_step)})\b")
TYPED = ("typed", "typed_with", "get_command", "find_exercise")
# What these files say is for those who work on the course, or is the program's name.
EXEMPT = ("course/commands.py", "course/skeletons/", "course/dev/", "gpt2/serving/api")
FILES = [
    path
    for room in ("course", "gpt2")
    for path in sorted((ROOT / room).rglob("*.py"))
    if not path.relative_to(ROOT).as_posix().startswith(EXEMPT)
]


def texts(tree: ast.AST) -> Iterator[str]:
    """Yields the strings of a file, but no docstrings and no arguments of typed()."""
    for node in ast.iter_child_nodes(tree):
        is_typed = isinstance(node, ast.Call) and ast.unparse(node.func) in TYPED
        if is_typed or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        yield from texts(node)


def untyped(source: str) -> list[str]:
    """Returns the strings that name a command, but not as the learner types it."""
    return [text for text in texts(ast.parse(source)) if NAMED.search(text)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_messages_name_commands_as_they_are_typed(path: Path) -> None:
    assert untyped(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_message_names_the_command_of_a_certain_step(path: Path) -> None:
    """A step's command comes from the step that the learner works on."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    named = [ast.unparse(n) for n in calls if ast.unparse(n.func) == "typed"]
    assert [call for call in named if CHECK.search(call)] == []


@pytest.mark.parametrize(
    "line",
    [
        "stop('Try: pixi run s08')",
        "note(f'look: uv run {name}')",
        "note('find it with gpt2 layers')",
        "stop(f'Try course doctor {x}')",
    ],
)
def test_an_untyped_command_is_found(line: str) -> None:
    assert untyped(line)
    assert not untyped('"""pixi run s08"""\nnote(typed("gpt2 layers"))')


@pytest.mark.parametrize(
    ("runner", "expected"),
    [
        ("pixi run", "pixi run -e serve gpt2 serve"),
        ("uv run", "uv run --extra serve gpt2 serve"),
    ],
)
def test_an_extra_is_named_in_both_ways(
    monkeypatch: pytest.MonkeyPatch, runner: str, expected: str
) -> None:
    monkeypatch.setattr(commands, "runner", lambda: runner)
    assert commands.typed_with("serve", "gpt2 serve") == expected

"""The places in a solution's syntax tree, and the changes that operators make there."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

# These fields hold no code that runs in a function.
SKIPPED = {"annotation", "returns", "decorator_list", "bases", "type_params"}
LOOSE = ast.BinOp | ast.BoolOp | ast.Compare | ast.IfExp | ast.UnaryOp | ast.Lambda
TIGHT = ast.BinOp | ast.BoolOp | ast.Compare | ast.UnaryOp | ast.Attribute | ast.Starred


@dataclass(frozen=True)
class Change:
    """An edit of a source.

    Attributes:
        edits: nodes, and the text that replaces each.
        says: the sentence for a learner whose code does the same.
    """

    edits: tuple[tuple[ast.AST, str], ...]
    says: str


@dataclass(frozen=True)
class Place:
    """A node of a tree with the nodes around it, the nearest last."""

    node: ast.AST
    around: tuple[ast.AST, ...]

    @property
    def parent(self) -> ast.AST:
        return self.around[-1]

    @property
    def function(self) -> ast.FunctionDef | None:
        """The nearest function around the node."""
        found = [n for n in self.around if isinstance(n, ast.FunctionDef)]
        return found[-1] if found else None

    @property
    def owner(self) -> ast.ClassDef | None:
        """The nearest class around the node."""
        found = [n for n in self.around if isinstance(n, ast.ClassDef)]
        return found[-1] if found else None

    @property
    def statement(self) -> ast.stmt | None:
        """The nearest statement around the node."""
        found = [n for n in self.around if isinstance(n, ast.stmt)]
        return found[-1] if found else None

    @property
    def names(self) -> list[str]:
        """The names of the classes and functions around the node."""
        kinds = ast.FunctionDef | ast.ClassDef
        return [node.name for node in self.around if isinstance(node, kinds)]

    @property
    def parameters(self) -> dict[str, ast.arg]:
        """The parameters of the function around the node, without ``self``."""
        if self.function is None:
            return {}
        given = self.function.args
        found = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        return {each.arg: each for each in found if each.arg != "self"}

    @property
    def in_constructor(self) -> bool:
        return self.function is not None and self.function.name == "__init__"

    def change(self, new: ast.AST | str, says: str) -> Change:
        """Makes the change that replaces the node."""
        return Change(((self.node, self.fitted(new)),), says)

    def fitted(self, new: ast.AST | str) -> str:
        """Returns the text of a new node, in parentheses where it needs them."""
        if isinstance(new, str):
            return new
        text = ast.unparse(new)
        inside = isinstance(self.parent, TIGHT) or (
            isinstance(self.parent, ast.Call | ast.Subscript)
            and self.node in (getattr(self.parent, n, None) for n in ("func", "value"))
        )
        return f"({text})" if inside and isinstance(new, LOOSE) else text


def find_places(tree: ast.Module) -> Iterator[Place]:
    """Yields every place in the code of a tree: no docstring, import or annotation."""
    yield from inside(tree, ())


def inside(node: ast.AST, around: tuple[ast.AST, ...]) -> Iterator[Place]:
    """Yields the places below a node, in the order of the text."""
    for name, field in ast.iter_fields(node):
        for child in field if isinstance(field, list) else [field]:
            if name in SKIPPED or not isinstance(child, ast.AST) or is_idle(child):
                continue
            yield Place(child, (*around, node))
            yield from inside(child, (*around, node))


def is_idle(node: ast.AST) -> bool:
    """Says whether a node is a docstring, an import or the name of a type."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Import | ast.ImportFrom | ast.TypeAlias)

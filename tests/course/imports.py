"""Which imported names some Python code uses, and where."""
import ast
from collections.abc import Iterator

SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def names_used(tree: ast.AST, known: dict[str, str] | None = None,
               line: int = 0) -> Iterator[tuple[str, int]]:
    """Yield the full dotted names of what a syntax tree imports and uses, with the line on which
    their statement begins.

    An import counts where it is visible: in its own function and in those inside.

    Args:
        tree: the syntax tree.
        known: full names of what is known beforehand, by the name in the source.
        line: where the tree begins.
    """
    known = {**(known or {}), **{name: full for node in _own_nodes(tree)
                                 for name, full in _imported(node)}}
    waiting = [(node, line) for node in ast.iter_child_nodes(tree)]
    while waiting:
        node, line = waiting.pop()
        line = node.lineno if isinstance(node, ast.stmt) else line
        if isinstance(node, SCOPES):
            yield from names_used(node, known, line)
        else:
            if full := _dotted(node, known):
                yield full, line
            waiting += [(child, line) for child in ast.iter_child_nodes(node)]


def _own_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below a tree that do not lie in functions of their own."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, SCOPES):
            yield from _own_nodes(node)


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield under which name an import statement makes which full name known."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _dotted(node: ast.AST, known: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    inner = _dotted(node.value, known) if isinstance(node, ast.Attribute) else None
    return f"{inner}.{node.attr}" if inner else None

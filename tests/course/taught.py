"""Taught here, imported later: what a notebook writes out must be what course_utils holds.

A function or class that a notebook defines under a name that a module which it imports has, too, is
compared by syntax tree; docstrings, annotations and comments do not count. A class may be spread
over cells: `class Name(Name):` goes on. A docstring in course_utils with the line "Notebook:
04_convolution_from_scratch (written out)" promises that the notebook does.
"""
import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools import notebooks

PROMISE = re.compile(r"(\d\d_\w+) \(written out\)")
Definition = ast.FunctionDef | ast.ClassDef


class _Bare(ast.NodeTransformer):
    """Strip what does not change what code does: docstrings and annotations."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, Definition) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            return ast.Assign(targets=[node.target], value=node.value)
        return node


def normal_form(definition: Definition) -> str:
    """Return a definition's syntax tree as text, without docstrings and annotations."""
    return ast.dump(_Bare().visit(ast.parse(ast.unparse(definition))))


def definitions(trees: Iterable[ast.Module]) -> Iterator[Definition]:
    """Yield the functions and classes at the top level."""
    for tree in trees:
        yield from (node for node in tree.body if isinstance(node, Definition))


def join_classes(found: Iterable[Definition]) -> Iterator[Definition]:
    """Yield definitions, with `class Name(Name):` added to the class of that name before it."""
    classes: dict[str, ast.ClassDef] = {}
    for node in found:
        if isinstance(node,
                      ast.ClassDef) and node.name in classes and [ast.unparse(base)
                                                                  for base in node.bases] == [
            node.name]:
            classes[node.name].body += node.body
        elif isinstance(node, ast.ClassDef):
            classes[node.name] = node
        else:
            yield node
    yield from classes.values()


def differences(notebook: NotebookNode, name: str, package: Path) -> list[str]:
    """Return where a notebook and the package disagree, in words.

    Args:
        notebook: the notebook.
        name: its file name without ending, such as `04_convolution_from_scratch`.
        package: the folder of course_utils.
    """
    # the checks teach nothing
    files = [path for path in sorted(package.rglob("*.py")) if "exercises" not in path.parts]
    trees = [notebooks.syntax_tree(cell) for cell in notebooks.code_cells(notebook)]
    taught = {d.name: d for d in join_classes(definitions(trees))}
    used = set().union(*map(notebooks.imported_files, trees))
    held: dict[str, list[Definition]] = {}
    promised = set()
    for path in files:
        for definition in definitions([ast.parse(path.read_text(encoding="utf-8"))]):
            promise = name in PROMISE.findall(ast.get_docstring(definition) or "")
            promised |= {definition.name} if promise else set()
            if promise or path in used:
                held.setdefault(definition.name, []).append(definition)
    differ = [f"'{d.name}' differs from course_utils" for d in taught.values()
              if d.name in held and normal_form(d) not in map(normal_form, held[d.name])]
    return (differ + [f"'{missing}' is not written out, though course_utils says so"
                      for missing in sorted(promised - set(taught))])
